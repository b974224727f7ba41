"""Compares resized pictures with Pillow and OpenCV, byte for byte.

Usage: resample.py FOLDER. cases.json lists the pictures and the cases;
pictures.bin and outputs.bin hold the bytes of both, one after the other. Prints
a line a library and filter; exits 1 on any difference or if there is no case.
"""
import collections
import json
import os
import sys

import cv2
import numpy as np
import PIL
from PIL import Image

PILLOW = {"nearest": Image.NEAREST, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "box": Image.BOX, "lanczos": Image.LANCZOS}
OPENCV = {"nearest": cv2.INTER_NEAREST, "bilinear": cv2.INTER_LINEAR}


def resize(picture, case):
    size = (case["width"], case["height"])
    if case["library"] == "pillow":
        return np.asarray(Image.fromarray(picture).resize(size, PILLOW[case["filter"]]))
    return cv2.resize(picture, size, interpolation=OPENCV[case["filter"]])


def main(folder):
    with open(os.path.join(folder, "cases.json")) as f:
        listed = json.load(f)
    source = np.fromfile(os.path.join(folder, "pictures.bin"), np.uint8)
    output = np.fromfile(os.path.join(folder, "outputs.bin"), np.uint8)
    pictures, at = [], 0
    for p in listed["pictures"]:
        shape = (p["height"], p["width"], 3) if p["channels"] == 3 else (p["height"], p["width"])
        n = int(np.prod(shape))
        pictures.append(source[at:at + n].reshape(shape))
        at += n
    whole = at == source.size
    count, wrong, at = collections.Counter(), collections.Counter(), 0
    for case in listed["cases"]:
        want = resize(pictures[case["picture"]], case)
        got = output[at:at + want.size]
        at += want.size
        key = case["library"], case["filter"]
        count[key] += 1
        if got.tobytes() != want.tobytes():
            wrong[key] += 1
            if wrong[key] == 1:
                print("first difference:", case, "of", pictures[case["picture"]].shape)
    whole = whole and at == output.size
    print(f"Pillow {PIL.__version__}, OpenCV {cv2.__version__}, {len(pictures)} pictures")
    for key in count:
        print(f"{key[0]} {key[1]}: {count[key] - wrong[key]} of {count[key]} equal byte for byte")
    if not whole:
        print("the files hold another number of bytes than the cases")
    return 0 if count and not wrong and whole else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
