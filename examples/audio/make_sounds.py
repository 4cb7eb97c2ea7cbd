"""Makes the sounds of this example, the same bytes each time: python3 make_sounds.py"""

import csv
import math
import pathlib
import random
import struct
import wave

SECONDS = 0.25
CLIPS = 20


def hum(t, draw):
    pitch = draw["pitch"]
    return 0.6 * math.sin(2 * math.pi * pitch * t) + 0.3 * math.sin(4 * math.pi * pitch * t)


def siren(t, draw):
    rise = draw["pitch"] * (1 + 4 * t / SECONDS)
    return 0.8 * math.sin(2 * math.pi * rise * t)


def hiss(t, draw):
    return draw["noise"].uniform(-0.8, 0.8) * (1 - t / SECONDS)


def clicks(t, draw):
    return 0.9 if (t * draw["pitch"] / 8) % 1.0 < 0.01 else 0.0


SOUNDS = {
    "clicks": (clicks, "short"),
    "hiss": (hiss, "noisy|fading"),
    "hum": (hum, "tonal"),
    "siren": (siren, "tonal|rising"),
}


def clip(sound, number):
    noise = random.Random(f"{sound} {number}")
    draw = {"noise": noise, "pitch": noise.uniform(200, 500)}
    loudness = noise.uniform(0.3, 1.0)
    # Not all were recorded alike: some have another rate, and are longer or shorter.
    rate = 11025 if number % 5 == 0 else 8000
    count = int(rate * SECONDS * noise.uniform(0.8, 1.1))
    for n in range(count):
        value = SOUNDS[sound][0](n / rate, draw) * loudness + noise.uniform(-0.02, 0.02)
        yield rate, max(-1.0, min(1.0, value))


def main():
    folder = pathlib.Path(__file__).parent
    (folder / "sounds").mkdir(exist_ok=True)
    with open(folder / "sounds.csv", "w", newline="") as table:
        rows = csv.writer(table, lineterminator="\n")
        rows.writerow(["file", "sound", "traits"])
        for number in range(CLIPS):
            for sound, (_, traits) in SOUNDS.items():
                name = f"{sound}-{number:02}.wav"
                samples = list(clip(sound, number))
                with wave.open(str(folder / "sounds" / name), "wb") as file:
                    file.setnchannels(1)
                    file.setsampwidth(1)
                    file.setframerate(samples[0][0])
                    file.writeframes(b"".join(struct.pack("B", round(128 + 127 * value)) for _, value in samples))
                rows.writerow([name, sound, traits])


main()
