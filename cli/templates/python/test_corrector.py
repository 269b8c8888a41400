"""The correction, natively: python3 -m unittest, after retake plugin build."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "build" / "bindings"))

from corrector import Session
from wit_world.imports import types


class CorrectorTest(unittest.TestCase):
    def test_nothing_exceeds_full_scale(self):
        stream = types.StreamSpec(48_000, 1, 4_800, 4, 1)
        session = Session.open(stream, [types.Setting("drive-db", types.Value_Float(24.0))])
        (output,) = session.process([[0.0, 0.5, -3.0, 100.0]])
        self.assertTrue(all(abs(sample) <= 1.0 for sample in output))
        self.assertEqual(session.report().measurements[0].value.value, 0.0)


if __name__ == "__main__":
    unittest.main()
