"""A clip into frames, regions, waveform and transcript."""
