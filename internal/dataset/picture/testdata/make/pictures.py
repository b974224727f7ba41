"""Makes the pictures of the folder above, and pixels.npz: what Pillow decodes them to.

Usage: pictures.py FOLDER, with pillow==13.0.0 (libjpeg-turbo 3.2.0,
libwebp 1.6.0) and numpy==2.4.6. jpeg420/ has 64 files of 4:2:0; other/ has one
file for each thing that a format can do. Pillow writes most of them. The ones
that it cannot write are put together here: png chunk by chunk, and samplings of
JPEG by changing the factors in a file whose units have as many blocks.
"""
import io
import os
import struct
import sys
import zipfile
import zlib

import numpy as np
from PIL import Image, ImageOps

rng = np.random.default_rng(20)


def drawing(width, height, kind):
    """Smooth waves; with kind 1 a chequered pattern, with kind 2 noise; and boxes with edges."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    phase = rng.uniform(0, 6, 3)
    a = np.stack([128 + 100 * np.sin(x / 9 + phase[0]) + 20 * np.cos(y / 5),
                  128 + 110 * np.cos(y / 11 + phase[1]) * np.sin(x / 13),
                  128 + 120 * np.sin((x + y) / 17 + phase[2])], -1)
    if kind == 1:
        a[(x // 5 + y // 7) % 2 == 0] = rng.integers(0, 256, 3)
    if kind == 2:
        a += rng.normal(0, 25, a.shape)
    for _ in range(3):
        x0, y0 = rng.integers(0, width), rng.integers(0, height)
        a[y0:y0 + height // 3, x0:x0 + width // 3] = rng.integers(0, 256, 3)
    return Image.fromarray(a.clip(0, 255).astype(np.uint8))


def saved(image, format, **options):
    b = io.BytesIO()
    image.save(b, format, **options)
    return b.getvalue()


def tiff(orientation, order):
    """An EXIF block with two tags, the second of which is the orientation."""
    mark = b"II" if order == "<" else b"MM"
    return mark + struct.pack(order + "HIH", 42, 8, 2) \
        + struct.pack(order + "HHIHH", 0x0100, 3, 1, 77, 0) \
        + struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0) + struct.pack(order + "I", 0)


def patched(jpeg, luma, width, height):
    """jpeg with other sampling factors of its first component, and another size."""
    at = jpeg.index(b"\xff\xc0")
    b = bytearray(jpeg)
    b[at + 5:at + 9] = struct.pack(">HH", height, width)
    b[at + 11] = luma
    return bytes(b)


def png(width, height, bits, kind, rows, chunks=(), interlaced=False, after=()):
    """A png of the rows, each bytes."""
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    head = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, int(interlaced))
    data = zlib.compress(b"".join(b"\0" + r for r in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(chunk(*c) for c in chunks) \
        + chunk(b"IDAT", data) + b"".join(chunk(*c) for c in after) + chunk(b"IEND", b"")


def interlaced(a):
    """The rows of a's seven passes, Adam7."""
    rows = []
    for x0, y0, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]:
        p = a[y0::dy, x0::dx]
        if p.size:
            rows += [r.tobytes() for r in p]
    return rows


def jpegs(files):
    for i in range(64):
        width, height = (int(v) for v in rng.integers(17, 90, 2))
        if i < 8:  # planes of one to three columns or rows of chroma
            width, height = [(1, 1), (2, 33), (3, 40), (4, 17), (5, 5), (40, 1), (37, 2), (6, 3)][i]
        files[f"jpeg420/{i:02}.jpg"] = saved(
            drawing(width, height, i % 3), "JPEG", subsampling="4:2:0",
            quality=30 + int(rng.integers(0, 69)) if i < 62 else 98, progressive=i % 2 == 1, optimize=i % 4 == 0)
    for name, sampling in (("444", "4:4:4"), ("422", "4:2:2")):
        for progressive in False, True:
            files[f"other/{name}{'p' * progressive}.jpg"] = saved(
                drawing(45, 35, 2), "JPEG", subsampling=sampling, quality=80, progressive=progressive)
    files["other/422-narrow.jpg"] = saved(drawing(3, 20, 2), "JPEG", subsampling="4:2:2", quality=80)
    half = saved(drawing(48, 40, 0), "JPEG", subsampling="4:2:2", quality=75)
    files["other/440.jpg"] = patched(half, 0x12, 37, 43)
    quarter = saved(drawing(64, 32, 0), "JPEG", subsampling="4:2:0", quality=75)
    files["other/411.jpg"] = patched(quarter, 0x41, 61, 29)
    files["other/114.jpg"] = patched(quarter, 0x14, 59, 30)
    files["other/grey.jpg"] = saved(drawing(33, 27, 2).convert("L"), "JPEG", quality=70)
    files["other/greyp.jpg"] = saved(drawing(33, 27, 2).convert("L"), "JPEG", quality=70, progressive=True)
    files["other/restart.jpg"] = saved(drawing(70, 50, 2), "JPEG", restart_marker_blocks=2)
    files["other/restartp.jpg"] = saved(drawing(70, 50, 2), "JPEG", restart_marker_rows=1, progressive=True)
    files["other/rgb.jpg"] = saved(drawing(30, 20, 2), "JPEG", keep_rgb=True)
    cmyk = np.concatenate([np.asarray(drawing(35, 25, 2)), np.asarray(drawing(35, 25, 0))[..., :1]], -1)
    cmyk = saved(Image.fromarray(cmyk, "CMYK"), "JPEG", quality=85)
    at = cmyk.index(b"Adobe")
    assert cmyk[at + 11] == 0
    files["other/cmyk.jpg"] = cmyk
    files["other/ycck.jpg"] = cmyk[:at + 11] + b"\2" + cmyk[at + 12:]
    files["other/cmyk-plain.jpg"] = cmyk.replace(b"Adobe", b"Other")
    for o in range(1, 9):
        files[f"other/exif{o}.jpg"] = saved(drawing(21, 14, 1), "JPEG", exif=b"Exif\0\0" + tiff(o, "<>"[o % 2]))
    files["other/exif-grey.jpg"] = saved(drawing(21, 14, 1).convert("L"), "JPEG", exif=b"Exif\0\0" + tiff(6, "<"))


def pngs(files):
    rgb = drawing(23, 17, 2)
    alpha = drawing(23, 17, 0).convert("L")
    rgba = rgb.copy()
    rgba.putalpha(alpha)
    grey = rgb.convert("L")
    for name, image in {
            "rgb": rgb, "rgba": rgba, "l": grey, "la": Image.merge("LA", (grey, alpha)),
            "1": grey.convert("1"), "palette": rgb.quantize(100)}.items():
        files[f"other/{name}.png"] = saved(image, "PNG")
    for bits in 1, 2, 4:
        files[f"other/palette{bits}.png"] = saved(rgb.quantize(1 << bits), "PNG", bits=bits)
    files["other/palette-transparent.png"] = saved(rgb.quantize(30), "PNG", transparency=bytes([0, 128, 255]))
    files["other/rgb-transparent.png"] = saved(rgb, "PNG", transparency=rgb.getpixel((0, 0)))
    files["other/l-transparent.png"] = saved(grey, "PNG", transparency=grey.getpixel((5, 5)))
    files["other/l2.png"] = png(8, 5, 2, 0, [bytes(r) for r in rng.integers(0, 256, (5, 2), np.uint8)])
    files["other/l4.png"] = png(8, 5, 4, 0, [bytes(r) for r in rng.integers(0, 256, (5, 4), np.uint8)])
    for name, kind, channels in ("l", 0, 1), ("la", 4, 2), ("rgb", 2, 3), ("rgba", 6, 4):
        a = rng.integers(0, 65536, (13, 19, channels)).astype(">u2")
        a[0, :, 0] = np.linspace(0, 400, 19)
        files[f"other/{name}16.png"] = png(19, 13, 16, kind, [r.tobytes() for r in a])
        if kind == 0:
            files["other/l16-transparent.png"] = png(19, 13, 16, 0, [r.tobytes() for r in a], [(b"tRNS", a[3, 3].tobytes())])
    files["other/rgb-interlaced.png"] = png(23, 17, 8, 2, interlaced(np.asarray(rgb)), interlaced=True)
    rows = [r.tobytes() for r in np.asarray(rgb)]
    files["other/exif.png"] = png(23, 17, 8, 2, rows, [(b"eXIf", tiff(6, ">"))])
    files["other/exif-after.png"] = png(23, 17, 8, 2, rows, after=[(b"eXIf", tiff(8, "<"))])


def gifs(files):
    p = drawing(31, 22, 0).quantize(60)
    files["other/plain.gif"] = saved(p, "GIF")
    files["other/transparent.gif"] = saved(p, "GIF", transparency=3)
    files["other/straight.gif"] = saved(p, "GIF", interlace=0)
    files["other/grey.gif"] = saved(drawing(31, 22, 2).convert("L"), "GIF")
    files["other/animated.gif"] = saved(p, "GIF", save_all=True, append_images=[drawing(31, 22, 1).quantize(60) for _ in range(2)])

    def inset(b):
        """b's frame at (4, 3) of a larger screen."""
        at = b.index(b",\0\0\0\0" + struct.pack("<HH", 31, 22))
        return b[:6] + struct.pack("<HH", 40, 30) + b[10:at + 1] + struct.pack("<HH", 4, 3) + b[at + 5:]
    files["other/inset.gif"] = inset(files["other/plain.gif"])
    files["other/inset-transparent.gif"] = inset(files["other/transparent.gif"])


def bmps(files):
    rgb = drawing(27, 19, 2)
    rgba = rgb.copy()
    rgba.putalpha(drawing(27, 19, 0).convert("L"))
    for name, image in {"rgb": rgb, "rgba": rgba, "l": rgb.convert("L"), "1": rgb.convert("1"), "palette": rgb.quantize(200)}.items():
        files[f"other/{name}.bmp"] = saved(image, "BMP")
    b = bytearray(files["other/rgb.bmp"])
    b[22:26] = struct.pack("<i", -19)
    files["other/topdown.bmp"] = bytes(b)


def webps(files):
    for i, (width, height) in enumerate([(1, 1), (2, 2), (3, 5), (16, 16), (33, 17), (50, 41), (40, 64)]):
        files[f"other/lossy{i}.webp"] = saved(drawing(width, height, i % 3), "WEBP", quality=40 + 9 * i)
    rgba = drawing(37, 29, 2)
    rgba.putalpha(drawing(37, 29, 0).convert("L"))
    files["other/lossy-alpha.webp"] = saved(rgba, "WEBP", quality=70)
    files["other/lossless.webp"] = saved(drawing(37, 29, 2), "WEBP", lossless=True)
    files["other/lossless-alpha.webp"] = saved(rgba, "WEBP", lossless=True, exact=True)
    files["other/exif.webp"] = saved(drawing(26, 19, 0), "WEBP", quality=80, exif=b"Exif\0\0" + tiff(5, "<"))


def decoded(name, b):
    image = Image.open(io.BytesIO(b))
    grey = image.mode in ("1", "L", "LA", "I;16") and name.endswith((".jpg", ".png"))
    grey |= name == "other/la16.png"  # which Pillow opens as RGBA
    return np.asarray(ImageOps.exif_transpose(image).convert("L" if grey else "RGB"))


def main(folder):
    files = {}
    for make in jpegs, pngs, gifs, bmps, webps:
        make(files)
    with zipfile.ZipFile(os.path.join(folder, "pixels.npz"), "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        for name, b in sorted(files.items()):
            os.makedirs(os.path.join(folder, os.path.dirname(name)), exist_ok=True)
            with open(os.path.join(folder, name), "wb") as f:
                f.write(b)
            array = io.BytesIO()
            np.save(array, decoded(name, b))
            z.writestr(zipfile.ZipInfo(name + ".npy", (1980, 1, 1, 0, 0, 0)), array.getvalue(), zipfile.ZIP_DEFLATED, 9)


if __name__ == "__main__":
    main(sys.argv[1])
