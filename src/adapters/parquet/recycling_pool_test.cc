#include "adapters/parquet/recycling_pool.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <random>
#include <thread>
#include <utility>
#include <vector>

namespace coeval::parquet_adapter {
namespace {

constexpr std::int64_t kAlignment = arrow::kDefaultBufferAlignment;

struct Buffer {
  std::uint8_t* bytes = nullptr;
  std::int64_t size = 0;
  std::uint8_t mark = 0;  ///< of every byte

  void write() const { std::fill_n(bytes, size, mark); }
  bool is_whole(std::int64_t first) const {
    return std::all_of(bytes, bytes + first, [&](std::uint8_t byte) { return byte == mark; });
  }
};

Buffer taken(RecyclingPool& pool, std::int64_t size, std::uint8_t mark) {
  Buffer buffer{.size = size, .mark = mark};
  REQUIRE(pool.Allocate(size, kAlignment, &buffer.bytes).ok());
  buffer.write();
  return buffer;
}

std::int64_t any_size(std::mt19937_64& random) {
  const std::int64_t magnitude = std::int64_t{1} << random() % 19;
  return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(magnitude)) + 1;
}

TEST_CASE("no buffer of a recycling pool reaches into another, from any thread") {
  RecyclingPool pool;
  std::atomic<int> damaged{0}, unaligned{0};
  const auto play = [&](std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<Buffer> held;
    for (int step = 0; step < 4000; ++step) {
      if (held.empty() || random() % 5 < 2) {
        Buffer made{.size = any_size(random), .mark = static_cast<std::uint8_t>(random())};
        if (!pool.Allocate(made.size, kAlignment, &made.bytes).ok()) return;
        unaligned += std::bit_cast<std::uintptr_t>(made.bytes) % kAlignment != 0;
        made.write();
        held.push_back(made);
        continue;
      }
      std::swap(held[random() % held.size()], held.back());
      Buffer& buffer = held.back();
      damaged += buffer.is_whole(buffer.size) ? 0 : 1;
      if (random() % 2 == 0) {
        const std::int64_t size = any_size(random), both = std::min(size, buffer.size);
        if (!pool.Reallocate(buffer.size, size, kAlignment, &buffer.bytes).ok()) return;
        buffer.size = size;
        damaged += buffer.is_whole(both) ? 0 : 1;
        buffer.write();
        continue;
      }
      pool.Free(buffer.bytes, buffer.size, kAlignment);
      held.pop_back();
    }
    for (const Buffer& buffer : held) {
      damaged += buffer.is_whole(buffer.size) ? 0 : 1;
      pool.Free(buffer.bytes, buffer.size, kAlignment);
    }
  };
  const std::int64_t before = pool.bytes_allocated();
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t seed = 0; seed < 3; ++seed) threads.emplace_back(play, seed);
  }
  CHECK(damaged == 0);
  CHECK(unaligned == 0);
  CHECK(pool.bytes_allocated() == before);
  CHECK(pool.num_allocations() > 3000);
}

TEST_CASE("a buffer given back is given out again, and one that fits its place stays there") {
  RecyclingPool pool;
  Buffer buffer = taken(pool, 8192, 7);
  std::uint8_t* const place = buffer.bytes;
  REQUIRE(pool.Reallocate(8192, 6145, kAlignment, &buffer.bytes).ok());
  CHECK(buffer.bytes == place);
  REQUIRE(pool.Reallocate(6145, 6144, kAlignment, &buffer.bytes).ok());
  CHECK(buffer.bytes != place);
  CHECK(buffer.is_whole(6144));
  CHECK(pool.unused_bytes() == 8192);
  const Buffer next = taken(pool, 7000, 9);
  CHECK(next.bytes == place);
  CHECK(pool.unused_bytes() == 0);
  pool.Free(next.bytes, 7000, kAlignment);
  pool.Free(buffer.bytes, 6144, kAlignment);
  pool.ReleaseUnused();
  CHECK(pool.unused_bytes() == 0);
}

TEST_CASE("what nobody uses is kept up to a bound, and what is larger than that goes to malloc") {
  RecyclingPool pool;
  std::vector<Buffer> held;
  for (int i = 0; i < 20; ++i) held.push_back({.size = RecyclingPool::kMostBytes - i});
  held.push_back({.size = RecyclingPool::kMostBytes + 1});
  const std::int64_t before = pool.bytes_allocated();
  for (Buffer& buffer : held) REQUIRE(pool.Allocate(buffer.size, kAlignment, &buffer.bytes).ok());
  CHECK(pool.bytes_allocated() - before == 21 * RecyclingPool::kMostBytes - 190 + 1);
  Buffer& grown = held.front();
  grown.mark = 3;
  grown.write();
  REQUIRE(pool.Reallocate(grown.size, 3 * grown.size, kAlignment, &grown.bytes).ok());
  CHECK(grown.is_whole(grown.size));
  REQUIRE(pool.Reallocate(3 * grown.size, grown.size, kAlignment, &grown.bytes).ok());
  CHECK(grown.is_whole(grown.size));
  for (const Buffer& buffer : held) pool.Free(buffer.bytes, buffer.size, kAlignment);
  CHECK(pool.bytes_allocated() == before);
  CHECK(pool.unused_bytes() == RecyclingPool::kMostUnused);
}

}  // namespace
}  // namespace coeval::parquet_adapter
