"""The random numbers: uniform picks, independent streams, and one run's numbers whatever stands beside it."""

import numpy as np
import pytest

from common import data


@pytest.mark.parametrize("size", [2, 3, 100, 256, 65536])
def test_picks_are_uniform(size):
    picks = np.empty((4 * data.ROWS, data.CHUNK), np.int32)
    data.draw_picks(np.random.default_rng(0), size, picks)
    counts = np.bincount(picks.ravel(), minlength=size)
    assert len(counts) == size
    expected = picks.size / size
    chi_squared = np.sum((counts - expected) ** 2 / expected)  # size - 1 degrees of freedom
    assert abs(chi_squared - (size - 1)) <= 5 * np.sqrt(2 * size)


def test_picks_that_fall_into_the_rest_are_drawn_again():
    class Bits:
        """Gives 16-bit numbers of which the first lies in the rest that 100 equal shares leave."""

        given = 0

        def integers(self, high, size, dtype):
            bits = np.full(size, 655 * 7, dtype)
            if not self.given:
                bits.flat[0] = 65535
            self.given += 1
            return bits

    picks = np.empty((1, 2), np.uint8)
    bits = Bits()
    data.draw_picks(bits, 100, picks)
    assert bits.given == 2
    assert picks.tolist() == [[7, 7]]


def test_the_recipes_picks_are_the_first_lane_of_the_first_chunk():
    picks = np.empty((300, data.CHUNK), np.int32)
    data.draw_picks(data.streams(18).picks, 100, picks)
    pick = data.picks(data.streams(18).picks, 100)
    assert [next(pick) for _ in range(300)] == picks[:, 0].tolist()


def test_more_steps_or_fewer_lanes_change_no_pick():
    wide, narrow = np.empty((400, data.CHUNK), np.int32), np.empty((150, 3), np.uint8)
    data.draw_picks(data.streams(1).picks, 100, wide)
    data.draw_picks(data.streams(1).picks, 100, narrow)
    np.testing.assert_array_equal(narrow, wide[:150, :3])


def test_seeds_chunks_and_streams_are_independent():
    firsts = {stream.integers(2**62) for seed in range(3) for chunk in range(3) for stream in data.streams(seed, chunk)}
    assert len(firsts) == 27
