"""Names for the array types of this room, and its one tolerance."""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]

# Below this, a difference of shares is rounding: one deviating label among ten million moves a share by 1e-7.
TINY: Final = 1e-12
