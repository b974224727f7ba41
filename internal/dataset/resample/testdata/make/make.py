"""Writes goldens.txt beside this folder: digests of what Pillow and OpenCV
make of the pictures of picture(). Their versions stand in the first line."""
import hashlib
import os

import cv2
import numpy as np
import PIL
from PIL import Image

FILTERS = {"nearest": Image.NEAREST, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "box": Image.BOX, "lanczos": Image.LANCZOS}
OPENCV = {"nearest": cv2.INTER_NEAREST, "bilinear": cv2.INTER_LINEAR}
SIZES = [(1, 1), (3, 5), (7, 64), (31, 17), (64, 64), (97, 101), (224, 224)]
TARGETS = [(1, 1), (7, 3), (17, 31), (64, 64), (100, 50), (113, 127), (112, 112)]


def picture(width, height, channels, seed):
    """Noise in which runs of black and white reach both ends of the clamp."""
    x, out = seed * 2654435761 % 2**32 | 1, bytearray()
    for i in range(width * height * channels):
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        v = x >> 24
        if i // 29 % 3 == 1:
            v = 255 * (v & 1)
        out.append(v)
    return bytes(out)


def main():
    lines = [f"# made by make/make.py with Pillow {PIL.__version__} and OpenCV {cv2.__version__}: library, channels, from, to (height x width), filter, SHA-256"]
    for channels in (1, 3):
        for w, h in SIZES:
            image = Image.frombytes("L" if channels == 1 else "RGB", (w, h), picture(w, h, channels, w + h))
            for tw, th in TARGETS:
                for name, code in FILTERS.items():
                    digest = hashlib.sha256(image.resize((tw, th), code).tobytes()).hexdigest()[:32]
                    lines.append(f"pillow {channels} {h}x{w} {th}x{tw} {name} {digest}")
                for name, code in OPENCV.items():
                    resized = cv2.resize(np.asarray(image), (tw, th), interpolation=code)
                    lines.append(f"opencv {channels} {h}x{w} {th}x{tw} {name} {hashlib.sha256(resized.tobytes()).hexdigest()[:32]}")
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "goldens.txt"), "w") as f:
        f.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
