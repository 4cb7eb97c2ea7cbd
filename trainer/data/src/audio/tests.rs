//! Sounds written here, as other programs write them, and read back; and what is damaged.

use super::read;

/// A WAV file.
pub(crate) fn wav(tag: u16, bits: u16, channels: u16, rate: u32, data: &[u8]) -> Vec<u8> {
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend(tag.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    let frame = channels * bits / 8;
    file.extend((rate * u32::from(frame)).to_le_bytes());
    file.extend(frame.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

/// A WAV file of 16 bits.
pub(crate) fn wav16(rate: u32, samples: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    wav(1, 16, 1, rate, &data)
}

/// A FLAC file of 16 bits with blocks of 16 frames that are not compressed.
fn flac16(rate: u32, channels: &[&[i16]]) -> Vec<u8> {
    const BLOCK: usize = 16;
    let count = channels[0].len();
    assert_eq!(count % BLOCK, 0, "whole blocks");
    let mut file = b"fLaC".to_vec();
    file.extend([0x80, 0, 0, 34]);
    file.extend((BLOCK as u16).to_be_bytes());
    file.extend((BLOCK as u16).to_be_bytes());
    file.extend([0; 6]);
    let sizes = u64::from(rate) << 44 | (channels.len() as u64 - 1) << 41 | 15 << 36 | count as u64;
    file.extend(sizes.to_be_bytes());
    file.extend([0; 16]);
    for block in 0..count / BLOCK {
        // Sizes of the block in a byte of their own, rate and bits from the beginning; then the number of the block.
        let mut frame = vec![0xff, 0xf8, 0x60, ((channels.len() as u8 - 1) << 4) | 0x08];
        frame.extend([block as u8, BLOCK as u8 - 1]);
        frame.push(crc(&frame, 8, 0x07) as u8);
        for channel in channels {
            frame.push(0x02);
            channel[block * BLOCK..(block + 1) * BLOCK]
                .iter()
                .for_each(|sample| frame.extend(sample.to_be_bytes()));
        }
        frame.extend((crc(&frame, 16, 0x8005) as u16).to_be_bytes());
        file.extend(frame);
    }
    file
}

fn crc(bytes: &[u8], width: u32, polynomial: u32) -> u32 {
    let top = 1 << (width - 1);
    let mut crc = 0_u32;
    for byte in bytes {
        crc ^= u32::from(*byte) << (width - 8);
        for _ in 0..8 {
            crc = if crc & top != 0 {
                crc << 1 ^ polynomial
            } else {
                crc << 1
            };
        }
    }
    crc & (top | (top - 1))
}

#[test]
fn every_form_of_sample_is_read() {
    let read = |file: Vec<u8>| read(&file, 10, 4).unwrap();
    let half = [0.0, 0.5, -0.5, -1.0];
    assert_eq!(read(wav(1, 8, 1, 10, &[128, 192, 64, 0])), half);
    assert_eq!(read(wav16(10, &[0, 16_384, -16_384, -32_768])), half);
    let data: Vec<u8> = [0, 0x0040_0000, -0x0040_0000, -0x0080_0000_i32]
        .iter()
        .flat_map(|sample| sample.to_le_bytes()[..3].to_vec())
        .collect();
    assert_eq!(read(wav(1, 24, 1, 10, &data)), half);
    let data: Vec<u8> = [0, 1 << 30, -1 << 30, i32::MIN]
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect();
    assert_eq!(read(wav(1, 32, 1, 10, &data)), half);
    let data: Vec<u8> = half
        .iter()
        .flat_map(|sample: &f32| sample.to_le_bytes())
        .collect();
    assert_eq!(read(wav(3, 32, 1, 10, &data)), half);
    let data: Vec<u8> = half
        .iter()
        .flat_map(|sample| f64::from(*sample).to_le_bytes())
        .collect();
    assert_eq!(read(wav(3, 64, 1, 10, &data)), half);
}

#[test]
fn channels_are_mixed_and_lengths_made_alike() {
    let data: Vec<u8> = [100_i16, 300, -200, 200]
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect();
    let stereo = wav(1, 16, 2, 10, &data);
    assert_eq!(read(&stereo, 10, 4).unwrap(), [200.0 / 32_768.0, 0.0, 0.0, 0.0]);
    assert_eq!(read(&stereo, 10, 1).unwrap(), [200.0 / 32_768.0]);
}

#[test]
fn chunks_around_the_samples_are_passed_over() {
    let plain = wav16(10, &[1, 2, 3]);
    let mut noted = plain[..36].to_vec();
    noted.extend(b"LIST\x03\x00\x00\x00abc\0");
    noted.extend(&plain[36..]);
    noted.extend(b"id3 \x01\x00\x00\x00x");
    assert_eq!(read(&noted, 10, 3), read(&plain, 10, 3));
    // A writer into a pipe does not know how many there will be.
    let mut endless = plain.clone();
    endless[40..44].fill(0xff);
    assert_eq!(read(&endless, 10, 3), read(&plain, 10, 3));
}

#[test]
fn a_flac_file_holds_what_the_wav_file_does() {
    let left: Vec<i16> = (0..48).map(|at| at * 600 - 16_000).collect();
    let right: Vec<i16> = (0..48).map(|at| 9_000 - at * 333).collect();
    let both: Vec<u8> = left
        .iter()
        .zip(&right)
        .flat_map(|(a, b)| [a.to_le_bytes(), b.to_le_bytes()].concat())
        .collect();
    let flac = flac16(16_000, &[&left, &right]);
    for samples in [10, 16, 17, 48, 60] {
        assert_eq!(
            read(&flac, 16_000, samples).unwrap(),
            read(&wav(1, 16, 2, 16_000, &both), 16_000, samples).unwrap()
        );
    }
}

#[test]
fn what_is_cut_off_is_said_and_never_a_panic() {
    let samples: Vec<i16> = (0..32).map(|at| at * 1_000).collect();
    for file in [wav16(8_000, &samples), flac16(8_000, &[&samples])] {
        assert!(read(&file, 16_000, 64).is_ok());
        for cut in 0..file.len() {
            assert!(read(&file[..cut], 16_000, 64).is_err(), "{cut}");
        }
        // Any byte may be another one: then it is read or refused.
        for at in 0..file.len() {
            for other in [0, 1, 0x7f, 0x80, 0xff] {
                let mut damaged = file.clone();
                damaged[at] = other;
                drop(read(&damaged, 16_000, 64));
            }
        }
    }
}

#[test]
fn what_is_not_read_is_told() {
    let said = |file: &[u8]| read(file, 10, 4).unwrap_err();
    assert_eq!(said(b""), "is empty");
    assert_eq!(
        said(b"ID3\x04more"),
        "is neither WAV nor FLAC, but looks like MP3"
    );
    assert_eq!(said(b"hello"), "is neither WAV nor FLAC");
    assert_eq!(
        said(&wav(0x11, 4, 1, 10, &[0])),
        "is compressed (WAV format 17): PCM and floats alone are read"
    );
    assert_eq!(
        said(&wav(1, 12, 1, 10, &[0])),
        "has samples of 12 bits, which are not read"
    );
    assert_eq!(
        said(&wav(1, 16, 1, 0, &[0, 0])),
        "says that it has 0 samples a second"
    );
    assert_eq!(said(&wav(1, 16, 0, 10, &[0, 0])), "says that it has no channels");
    let nan = [0.0, f32::NAN]
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect::<Vec<u8>>();
    assert_eq!(
        said(&wav(3, 32, 1, 10, &nan)),
        "holds a sample that is not finite, at 0.1 s"
    );
}
