"""Writes goldens_tf.txt beside this folder: digests of the float32 pixels that
TensorFlow makes of the pictures of make.py."""
import hashlib
import os

import numpy as np
import tensorflow as tf

from make import SIZES, TARGETS, picture


def main():
    lines = [f"# made by make/make_tf.py with TensorFlow {tf.__version__}: library, channels, from, to (height x width), filter, SHA-256"]
    for channels in (1, 3):
        for w, h in SIZES:
            image = np.frombuffer(picture(w, h, channels, w + h), np.uint8).reshape(h, w, channels)
            for tw, th in TARGETS:
                for name in ("nearest", "bilinear", "bicubic"):
                    out = np.asarray(tf.image.resize(image, (th, tw), method=name, antialias=False), np.float32) + np.float32(0)
                    digest = hashlib.sha256(out.tobytes()).hexdigest()[:32]
                    lines.append(f"tensorflow {channels} {h}x{w} {th}x{tw} {name} {digest}")
                    if os.environ.get("DUMP"):
                        out.tofile(os.path.join(os.environ["DUMP"], f"{channels}_{h}x{w}_{th}x{tw}_{name}.f32"))
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "goldens_tf.txt"), "w") as f:
        f.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
