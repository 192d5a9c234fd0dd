"""Runs the tests of this folder and closes with the line that ./dev test adds up."""

import pathlib
import sys
import unittest
import warnings

if __name__ == "__main__":
    warnings.simplefilter("ignore")  # scikit-learn warns where a figure is undefined; ours is NaN there
    here = pathlib.Path(__file__).parent
    suite = unittest.defaultTestLoader.discover(str(here), pattern="test_*.py")
    result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout, warnings="ignore").run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed - len(result.skipped)} passed, {failed} failed")
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
