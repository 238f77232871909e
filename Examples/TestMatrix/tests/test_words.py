"""What every run of the matrix tests."""

import unittest


class Words(unittest.TestCase):
    def test_split(self):
        self.assertEqual("to be or not".split(), ["to", "be", "or", "not"])


if __name__ == "__main__":
    unittest.main()
