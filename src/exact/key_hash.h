#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "exact/byte_codec.h"

namespace coeval::exact {

/// A key of 128 bits: the hash of a value that does not fit in 64, such as a string.
struct Key128 {
  std::uint64_t high = 0, low = 0;
  friend auto operator<=>(const Key128&, const Key128&) = default;
};

/// A fixed one-to-one mixing of 64 bits: the finalizer of SplitMix64. The same on every machine,
/// and for ever: sketches are written in it.
/// Source: D. Stafford's variant 13 of MurmurHash3's finalizer.
constexpr std::uint64_t mix(std::uint64_t x) {
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
  x = (x ^ x >> 27) * 0x94D049BB133111EB;
  return x ^ x >> 31;
}
/// mix's inverse.
constexpr std::uint64_t unmix(std::uint64_t x) {
  x = (x ^ x >> 31 ^ x >> 62) * 0x319642B2D24D8EC3;
  x = (x ^ x >> 27 ^ x >> 54) * 0x96DE1B173F119089;
  return x ^ x >> 30 ^ x >> 60;
}

/// What sketches need to know of a kind of key: its mixed form, one to one with it, in which every
/// bit is as good as the next; and its bytes.
template <class Key>
struct KeyForm;

template <>
struct KeyForm<std::int64_t> {
  using Mixed = std::uint64_t;
  static constexpr Mixed mixed(std::int64_t key) { return mix(static_cast<std::uint64_t>(key)); }
  static constexpr std::int64_t unmixed(Mixed m) { return static_cast<std::int64_t>(unmix(m)); }
  static constexpr std::uint64_t hash(std::int64_t key) { return mixed(key); }
  static constexpr std::uint64_t hash_of_mixed(Mixed m, std::uint64_t salt) {
    return mix(m ^ salt);
  }
  static void append(std::string& out, std::int64_t key) {
    append_u64(out, static_cast<std::uint64_t>(key));
  }
  static bool read(std::string_view& bytes, std::int64_t& key) {
    std::uint64_t bits = 0;
    if (!read_u64(bytes, bits)) return false;
    key = static_cast<std::int64_t>(bits);
    return true;
  }
};

template <>
struct KeyForm<Key128> {
  __extension__ using Mixed = unsigned __int128;
  // Each half is changed by the other, so that keys that differ in one of them alone mix too.
  static constexpr Mixed mixed(Key128 key) {
    const std::uint64_t high = key.high ^ mix(key.low + kSalt);
    const std::uint64_t low = key.low ^ mix(high);
    return Mixed{mix(high)} << 64 | low;
  }
  static constexpr Key128 unmixed(Mixed m) {
    const std::uint64_t high = unmix(static_cast<std::uint64_t>(m >> 64));
    const std::uint64_t low = static_cast<std::uint64_t>(m) ^ mix(high);
    return {high ^ mix(low + kSalt), low};
  }
  static constexpr std::uint64_t hash(Key128 key) { return static_cast<std::uint64_t>(mixed(key)); }
  static constexpr std::uint64_t hash_of_mixed(Mixed m, std::uint64_t salt) {
    return mix(mix(static_cast<std::uint64_t>(m >> 64) + kSalt) ^ static_cast<std::uint64_t>(m) ^
               salt);
  }
  static void append(std::string& out, Key128 key) {
    append_u64(out, key.high);
    append_u64(out, key.low);
  }
  static bool read(std::string_view& bytes, Key128& key) {
    return read_u64(bytes, key.high) && read_u64(bytes, key.low);
  }

 private:
  static constexpr std::uint64_t kSalt = 0x9E3779B97F4A7C15;  // 2^64 / golden ratio
};

}  // namespace coeval::exact
