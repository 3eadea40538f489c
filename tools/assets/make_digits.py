"""Save scikit-learn's copy of the handwritten digits as one small file.

    python tools/assets/make_digits.py lessonlib/data/digits/digits.npz

Needs scikit-learn, which the package itself does not. images: (1797, 8, 8) uint8, 0 to 16; labels: (1797,) uint8.
"""
import sys
import numpy as np
from sklearn.datasets import load_digits

digits = load_digits()
images, labels = digits.images.astype('uint8'), digits.target.astype('uint8')
assert (images == digits.images).all() and images.max() == 16
np.savez_compressed(sys.argv[1], images=images, labels=labels)
