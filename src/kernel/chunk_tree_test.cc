#include "kernel/chunk_tree.h"

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "kernel/kernel_for_tests.h"

namespace coeval::kernel {
namespace {

using namespace testing;

struct Layouts {
  explicit Layouts(std::vector<OracleAggregate> aggregates, bool replaceable = false)
      : world(make_world("\"k\"", "\"1h\"", "0s", std::move(aggregates))),
        layout(RecordLayout::create(world.view(), world.project->sources[0].event_schema(),
                                    replaceable)),
        packing(layout) {}
  World world;
  RecordLayout layout;
  Packing packing;
};

std::vector<OracleAggregate> some_aggregates(std::size_t conditions) {
  std::vector<OracleAggregate> all = {kCountRows};
  for (std::size_t i = 0; i < conditions; ++i)
    for (const std::size_t argument : {0u, 1u, 2u, 3u})
      all.push_back({"sum", &kArguments[argument], &kConditions[i % kConditions.size()]});
  return all;
}

// A record of random bits and values, bit 0 set, with nothing between its parts.
std::vector<std::byte> random_record(std::mt19937_64& random, const RecordLayout& layout,
                                     std::int64_t time, std::int64_t known) {
  std::vector<std::byte> record(layout.stride);
  for (std::size_t i = 16; i < record.size(); ++i) record[i] = static_cast<std::byte>(random());
  std::fill(
      record.begin() + static_cast<std::ptrdiff_t>(layout.narrow_at + 4 * layout.narrow_count),
      record.begin() + static_cast<std::ptrdiff_t>(layout.wide_at), std::byte{0});
  store(record.data(), time);
  store(record.data() + 8, known);
  for (std::size_t bit = 0; bit < 32 * layout.words(); ++bit) {
    std::byte& byte = record[kFlagsAt + bit / 8];
    const std::byte mask{static_cast<unsigned char>(1u << bit % 8)};
    if (bit == 0) byte |= mask;
    if (bit >= layout.bit_count) byte &= ~mask;
  }
  return record;
}

TEST_CASE("a chunk gives back every record that it took, whatever its times are") {
  std::mt19937_64 random(61);
  const std::int64_t far = std::int64_t{1} << 60;
  const std::array<std::int64_t, 9> lags = {0,   0,    1,         -5,          3'000'000'000,
                                            far, -far, 1ll << 40, -(1ll << 46)};
  for (const std::size_t conditions : {0u, 1u, 3u, 9u})
    for (const bool replaceable : {false, true}) {
      Layouts of(some_aggregates(conditions), replaceable);
      for (int round = 0; round < 60; ++round) {
        of.packing.usual_lag_us = lags[random() % lags.size()];
        std::vector<std::vector<std::byte>> records;
        Chunk* chunk = nullptr;
        for (int i = 0; i < 60; ++i) {
          std::int64_t time = static_cast<std::int64_t>(random() % (1ull << 40));
          if (round % 3 == 0 && random() % 20 == 0) time = static_cast<std::int64_t>(random());
          if (round % 5 == 0 && random() % 20 == 0)
            time = random() % 2 == 0 ? INT64_MIN : INT64_MAX;
          const auto known = static_cast<std::int64_t>(
              static_cast<std::uint64_t>(time) +
              static_cast<std::uint64_t>(of.packing.usual_lag_us) +
              static_cast<std::uint64_t>(round % 2 == 0 ? 0 : lags[random() % lags.size()]));
          records.push_back(random_record(random, of.layout, time, known));
          const std::byte* record = records.back().data();
          if (chunk == nullptr || chunk->end == chunk->capacity ||
              !chunk->takes(of.packing, record)) {
            const std::uint32_t size = chunk == nullptr ? 0 : chunk->size();
            Chunk* larger = Chunk::make_for(of.packing, size + 1, chunk, record);
            if (chunk != nullptr) {
              larger->append(of.packing, *chunk, chunk->begin, chunk->end);
              Chunk::free(chunk);
            }
            chunk = larger;
            REQUIRE(chunk->takes(of.packing, record));
          }
          const std::uint32_t slot = upper_slot(*chunk, time);
          chunk->open(slot);
          chunk->put(of.packing, slot, record);
        }
        std::ranges::stable_sort(records, {},
                                 [](const auto& r) { return event_time_of(r.data()); });
        REQUIRE(chunk->size() == records.size());
        std::vector<std::byte> found(of.layout.stride);
        for (std::uint32_t i = 0; i < chunk->size(); ++i) {
          chunk->unpack(of.packing, i, found.data());
          REQUIRE(found == records[i]);
          REQUIRE(chunk->known(of.packing, i) == known_time_of(records[i].data()));
          const auto lower =
              std::ranges::lower_bound(records, event_time_of(records[i].data()), {},
                                       [](const auto& r) { return event_time_of(r.data()); });
          REQUIRE(lower_slot(*chunk, event_time_of(records[i].data())) ==
                  static_cast<std::uint32_t>(lower - records.begin()));
        }
        Chunk::free(chunk);
      }
    }
}

TEST_CASE("an event of two columns takes 10 to 15 bytes") {
  Layouts of({{"sum", &kArguments[1], &kConditions[0]}});  // may be null, which takes a bit
  CHECK(TimeForm{}.bytes() + of.packing.payload_bytes() == 15);
  Layouts narrow({{"sum", &kArguments[0], &kConditions[0]}});
  CHECK(TimeForm{}.bytes() + narrow.packing.payload_bytes() == 10);
}

struct Collected final : RangeVisitor {
  explicit Collected(const RecordLayout& of) : layout(of), tally(of) {}
  void events(Chunk& chunk, std::uint32_t from, std::uint32_t to) override {
    for (std::uint32_t slot = from; slot < to; ++slot) times.push_back(chunk.time(slot));
  }
  void tile(TallyParts parts) override {
    tiles += 1;
    in_tiles += parts.linear[0];
  }
  const RecordLayout& layout;
  Tally tally;
  std::vector<std::int64_t> times;
  std::int64_t tiles = 0, in_tiles = 0;
};

TEST_CASE("a tree finds places and ranges as a sorted list does, while chunks come and go") {
  std::mt19937_64 random(62);
  Layouts of({kCountRows});
  const EventForm form{of.layout, of.packing};
  for (int round = 0; round < 20; ++round) {
    constexpr std::uint32_t kFull = 3;
    std::multimap<std::int64_t, std::int64_t> expected;  // known time by event time
    const auto chunk_of = [&](const std::byte* record) {
      Chunk* chunk = Chunk::make_for(of.packing, kFull, nullptr, record);
      return chunk;
    };
    std::unique_ptr<ChunkTree> tree;
    std::int64_t clock = 0;
    for (int step = 0; step < 3000; ++step) {
      const bool taking = expected.size() > 1 && random() % (step % 1000 < 600 ? 5 : 2) == 0;
      if (taking) {
        // Half of them are the oldest.
        Cursor place{tree->first(), tree->first()->begin};
        if (random() % 2 == 0) {
          const auto some =
              std::next(expected.begin(), static_cast<std::ptrdiff_t>(random() % expected.size()));
          place = tree->place_of(some->first);
          if (place.slot == place.chunk->end)
            place = {ChunkTree::next(place.chunk), ChunkTree::next(place.chunk)->begin};
        }
        const std::int64_t time = place.chunk->time(place.slot);
        const auto [begin, end] = expected.equal_range(time);
        expected.erase(std::find_if(begin, end, [&](const auto& event) {
          return event.second == place.chunk->known(of.packing, place.slot);
        }));
        place.chunk->close(place.slot);
        ChunkTree::changed(place.chunk);
        if (place.chunk->size() == 0 && tree->size() > 1) tree->remove(place.chunk);
        if (expected.empty()) tree.reset();
      } else {
        clock += static_cast<std::int64_t>(random() % 3);
        const std::int64_t time =
            random() % 3 == 0 ? clock - static_cast<std::int64_t>(random() % 500) : clock;
        const auto record = random_record(random, of.layout, time, clock);
        expected.emplace(time, clock);
        while (true) {
          if (!tree)
            tree = [&] {
              Chunk* chunk = chunk_of(record.data());
              chunk->open(0);
              chunk->put(of.packing, 0, record.data());
              return std::make_unique<ChunkTree>(chunk, clock);
            }();
          else {
            Chunk* chunk = tree->chunk_for(time);
            if (chunk->size() >= kFull) {
              Chunk* upper = Chunk::make(of.packing, kFull + 1, chunk->form(), chunk->base_us);
              upper->append(of.packing, *chunk, 1u + chunk->begin, chunk->end);
              chunk->end = static_cast<std::uint8_t>(chunk->begin + 1);
              ChunkTree::changed(chunk);
              tree->insert_after(chunk, upper, upper->first_time(), ChunkTree::max_known_us(chunk));
              continue;
            }
            if (!chunk->takes(of.packing, record.data()) || chunk->end == chunk->capacity) {
              Chunk* other = Chunk::make_for(of.packing, kFull + 1, chunk, record.data());
              other->append(of.packing, *chunk, chunk->begin, chunk->end);
              tree->replace(chunk, other);
              Chunk::free(chunk);
              continue;
            }
            const std::uint32_t slot = upper_slot(*chunk, time);
            chunk->open(slot);
            chunk->put(of.packing, slot, record.data());
            ChunkTree::changed(chunk, clock);
          }
          break;
        }
      }
      if (!tree || step % 7 != 0) continue;
      std::size_t held = 0, chunks = 0;
      for (Chunk* chunk = tree->first(); chunk != nullptr; chunk = ChunkTree::next(chunk)) {
        held += chunk->size();
        ++chunks;
        Chunk* next = ChunkTree::next(chunk);
        REQUIRE((next == nullptr ? chunk == tree->last() : ChunkTree::previous(next) == chunk));
      }
      REQUIRE(held == expected.size());
      REQUIRE(chunks == tree->size());
      const std::int64_t a = clock - static_cast<std::int64_t>(random() % 600);
      const std::int64_t b = a + static_cast<std::int64_t>(random() % 600);
      const std::int64_t at = random() % 3 == 0 ? clock - 100 : INT64_MAX;
      Collected found(of.layout);
      tree->visit(form, tree->place_of(a), tree->place_of(b), at, found);
      std::int64_t all = 0, unknown = 0;
      for (auto i = expected.lower_bound(a); i != expected.lower_bound(b); ++i) {
        ++all;
        unknown += i->second >= at ? 1 : 0;
      }
      REQUIRE(found.in_tiles + static_cast<std::int64_t>(found.times.size()) == all);
      REQUIRE(static_cast<std::int64_t>(found.times.size()) >= unknown);
      REQUIRE(std::ranges::is_sorted(found.times));
      if (at == INT64_MAX) REQUIRE(found.tiles <= 100);
    }
  }
}

}  // namespace
}  // namespace coeval::kernel
