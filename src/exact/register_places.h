#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace coeval::exact {

/// Where HyperLogLog of 2^14 registers counts keys of 64 bits: for each its register times 256 plus
/// its rank, from mix() of the key (key_hash.h). One loop for plain code and one for each
/// instruction set that gains; all give the same numbers.
struct RegisterPlaces {
  static constexpr int kIndexBits = 14;
  const char* name;
  void (*find)(const std::int64_t* keys, std::size_t size, std::uint64_t* places);
};

/// The quickest that this CPU can run.
const RegisterPlaces& quickest_register_places();
/// All that this CPU can run, the plain one, which is the oracle, first.
std::span<const RegisterPlaces> all_register_places();

}  // namespace coeval::exact
