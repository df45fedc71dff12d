"""The random numbers: uniform picks, independent streams, and one run's numbers whatever stands beside it."""

import numpy as np
import pytest

from common import data, options


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
    pick = data.Picks(data.streams(18).picks)
    assert [pick.choice(100) for _ in range(300)] == picks[:, 0].tolist()


def test_more_steps_or_fewer_lanes_change_no_pick():
    wide, narrow = np.empty((400, data.CHUNK), np.int32), np.empty((150, 3), np.uint8)
    data.draw_picks(data.streams(1).picks, 100, wide)
    data.draw_picks(data.streams(1).picks, 100, narrow)
    np.testing.assert_array_equal(narrow, wide[:150, :3])


def assembled(sequence):
    """The words of 32 bits that a `SeedSequence` hashes: those of its entropy and, behind at least four, its key."""
    def split(number):
        return [number >> shift & 0xFFFFFFFF for shift in range(0, max(number.bit_length(), 1), 32)]

    entropy = sequence.entropy if isinstance(sequence.entropy, list) else [sequence.entropy]
    first, key = ([word for number in numbers for word in split(number)] for numbers in (entropy, sequence.spawn_key))
    return first + [0] * (4 - len(first)) * bool(key) + key


def hashed(sequence):
    """The same, filled up with zeros to the four words of the pool that numpy hashes them into, as it does."""
    words = assembled(sequence)
    return (*words, *[0] * (4 - len(words)))


def test_the_words_are_those_that_numpy_hashes():
    # Written out as a list of single words they give the state that the sequence gives.
    for seed in (0, 18, 2**32 - 1, 2**32, 2**32 + 18, 2**64, 2**100 + 1, 2**160 + 5):
        for sequence in seed_sequences(seed, 7):
            again = np.random.SeedSequence(list(hashed(sequence)))
            np.testing.assert_array_equal(again.generate_state(8), sequence.generate_state(8))


def sequence_of(stream):
    """The seed sequence of a generator; before numpy 1.25 its name had an underscore."""
    return getattr(stream.bit_generator, "seed_seq", None) or stream.bit_generator._seed_seq


def seed_sequences(seed, chunk):
    """What the three streams of a chunk are seeded with."""
    return [sequence_of(stream) for stream in data.streams(seed, chunk)]


# Every form that a seed can have: of one word, at and around the borders to two, three and more words, with zeros in
# them, and so that a seed's words are those of another seed with a chunk or a stream behind it.
SEEDS = sorted({0, 1, 2, 3, 17, 18, 97_656, *(
    max(0, sign * low + high * 2**power) for power in (32, 64, 96, 128, 160) for high in (1, 2, 18)
    for low in (0, 1, 2, 18) for sign in (-1, 1))} | {
    seed + chunk * 2**32 + stream * 2**64 + more * 2**96 for seed in (0, 1, 18) for chunk in (0, 1, 2, 97_656)
    for stream in (0, 1, 2) for more in (0, 1, 2)} | {10**42 - 1, 2**13_000})
CHUNKS = [0, 1, 2, 3, 17, 18, 97_655, 97_656]  # --runs 100,000,000 makes 97,657


def test_no_two_seeds_chunks_and_streams_share_what_numpy_hashes():
    found = {}
    for seed in SEEDS:
        for chunk in CHUNKS:
            for number, sequence in enumerate(seed_sequences(seed, chunk)):
                assert found.setdefault(hashed(sequence), (seed, chunk, number)) == (seed, chunk, number)
    assert len(found) == len(SEEDS) * len(CHUNKS) * 3


@pytest.mark.parametrize(("seed", "length"), [(0, 3), (2**32 - 1, 3), (2**32, 6), (2**128 - 1, 6), (2**128, 7),
                                              (2**160, 8)])
def test_the_words_tell_the_seed_the_chunk_and_the_stream_for_any_that_the_flags_allow(seed, length):
    # A proof for all of them: a seed below 2^32 gives the three words seed, chunk, stream, all below 2^32, and a fourth
    # that is 0; a longer one at least six, of which the last two are the chunk and the stream and those before them the
    # seed, filled up to four. So from the words each of the three can be read, and no two are alike.
    for chunk in CHUNKS:
        for number, sequence in enumerate(seed_sequences(seed, chunk)):
            entropy = assembled(sequence)
            assert len(entropy) == length
            *first, last_but_one, last = entropy
            assert (last_but_one, last) == (chunk, number)
            assert sum(word * 2 ** (32 * at) for at, word in enumerate(first)) == seed


def test_other_words_give_other_numbers_and_the_same_words_the_same():
    # Of what numpy makes from the words, 128 bits of state: no two of these streams start in the same state.
    states = {tuple(sequence.generate_state(4)) for seed in SEEDS for chunk in CHUNKS
              for sequence in seed_sequences(seed, chunk)}
    assert len(states) == len(SEEDS) * len(CHUNKS) * 3
    for stream, again in zip(data.streams(2**40, 3), data.streams(2**40, 3), strict=True):
        assert stream.integers(2**62) == again.integers(2**62)


def test_a_chunk_beyond_32_bits_is_more_than_runs_allow():
    assert options.MOST // data.CHUNK < 2**32


def test_samples_start_and_picks_come_from_a_stream_each():
    kinds = {"samples": 0, "start": 1, "picks": 2}
    for name, number in kinds.items():
        sequence = sequence_of(getattr(data.streams(18, 5), name))
        assert assembled(sequence) == [18, 5, number]


def test_another_number_of_samples_in_the_middle_of_a_run_is_picked_from_too():
    pick = data.Picks(np.random.default_rng(0))
    assert max(pick.choice(100) for _ in range(500)) == 99
    assert max(pick.choice(7) for _ in range(500)) == 6
    assert max(pick.choice(65536) for _ in range(500)) > 60000
