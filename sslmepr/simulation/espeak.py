"""eSpeak NG through ctypes: text in, waveform out, always the same.

eSpeak NG keeps the phase of its oscillators and the state of its random numbers from
one sentence to the next, even over a restart. Only unloading the library makes a
sentence independent of what the process has said before, so it is loaded anew for every
one, which takes some milliseconds.
"""

import ctypes

import espeakng_loader
import numpy as np

_SYNCHRONOUS = 2
_UTF8_SSML = 1 | 0x10
_NO_EXIT = 0x8000
_PARAMETERS = {"rate": 1, "volume": 2, "pitch": 3, "range": 4}
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class VoiceError(RuntimeError):
    """Speech synthesis failed."""


def synthesise(
    text: str, variant: str, settings: dict[str, int], seed: int
) -> tuple[np.ndarray, int]:
    """Speak SSML.

    Parameters
    ----------
    text : str
        SSML, in English.
    variant : str
        A voice of eSpeak NG, such as ``en-us+f2``.
    settings : dict of str to int
        ``rate`` (words per minute), ``volume``, ``pitch`` and ``range`` (0..100).
    seed : int
        Of the noise in some voices.

    Returns
    -------
    waveform : (sample,) ndarray
        Within -1..1.
    rate_hz : int

    Raises
    ------
    VoiceError
        If the library does not start, has no such voice, or stays silent.
    """
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    chunks = []

    @_CALLBACK
    def collect(samples, count, _events):
        if samples and count:
            chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    try:
        data = espeakng_loader.get_data_path().encode()
        rate_hz = library.espeak_Initialize(_SYNCHRONOUS, 0, data, _NO_EXIT)
        if rate_hz <= 0:
            raise VoiceError(f"eSpeak NG does not start with its data in {data!r}")
        library.espeak_ng_SetRandSeed(ctypes.c_long(seed % 2**31))
        library.espeak_SetSynthCallback(collect)
        if library.espeak_SetVoiceByName(variant.encode()) != 0:
            raise VoiceError(f"eSpeak NG has no voice {variant!r}")
        for name, value in settings.items():
            library.espeak_SetParameter(_PARAMETERS[name], int(value), 0)
        spoken = text.encode()
        length = ctypes.c_size_t(len(spoken) + 1)
        library.espeak_Synth(spoken, length, 0, 1, 0, _UTF8_SSML, None, None)
        library.espeak_Synchronize()
    finally:
        library.espeak_Terminate()
        ctypes.CDLL(None).dlclose(ctypes.c_void_p(library._handle))
    if not chunks:
        raise VoiceError(f"eSpeak NG has nothing to say for {text!r}")
    return np.concatenate(chunks) / 32768, rate_hz
