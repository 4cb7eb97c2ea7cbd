//! The class of this machine's processor: where two machines have the same, floating-point results are the same bits.

/// The maker and the instruction set that numerics are pinned to: `GenuineIntel avx2`. Without AVX2 the class says so;
/// the trainer refuses to run there.
///
/// The maker is part of it until same bits are shown across makers.
pub fn class() -> String {
    format!("{} {}", maker(), instructions())
}

#[cfg(target_arch = "x86_64")]
fn maker() -> String {
    let vendor = raw_cpuid::CpuId::new().get_vendor_info();
    vendor.map_or_else(|| "unknown".to_owned(), |vendor| vendor.as_str().to_owned())
}

#[cfg(target_arch = "x86_64")]
fn instructions() -> &'static str {
    if is_x86_feature_detected!("avx2") {
        "avx2"
    } else {
        "no avx2"
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn maker() -> String {
    std::env::consts::ARCH.to_owned()
}

#[cfg(not(target_arch = "x86_64"))]
fn instructions() -> &'static str {
    "no avx2"
}
