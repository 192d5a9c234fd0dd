#include "quality/repeated_keys.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "data/hash.h"
#include "exact/key_hash.h"

namespace coeval::quality {

namespace {

constexpr std::size_t kParts = 64;
// Of a hash: the lowest bits choose the part, the highest the pass, those between the place.
constexpr int kPartBits = 6, kPassAt = 40;
constexpr std::int64_t kNoRow = std::numeric_limits<std::int64_t>::min();

std::size_t part_of(std::uint64_t hash) { return hash & (kParts - 1); }

struct Numbered {
  std::uint64_t hash = 0;  // one to one with the key
  std::int64_t row = kNoRow;
};

// The head of a record with a key of bytes.
struct Headed {
  std::uint64_t hash = 0;
  std::int64_t row = kNoRow;
  std::uint64_t size = 0;
};

// The rows that repeat an earlier one, of which the first few are kept.
class FirstRepeats {
 public:
  explicit FirstRepeats(std::size_t most) : most_(most) {}
  bool takes(std::int64_t row) const {
    return kept_.size() < most_ || (most_ > 0 && row < kept_.front().row);
  }
  void add(std::int64_t row, std::string key) {
    if (kept_.size() == most_) {
      std::pop_heap(kept_.begin(), kept_.end(), by_row);
      kept_.pop_back();
    }
    kept_.push_back({row, 0, std::move(key)});
    std::push_heap(kept_.begin(), kept_.end(), by_row);
  }
  std::vector<RepeatedKey>& kept() { return kept_; }

 private:
  static bool by_row(const RepeatedKey& a, const RepeatedKey& b) { return a.row < b.row; }
  std::size_t most_;
  std::vector<RepeatedKey> kept_;  // a heap, the last row first
};

std::size_t places_for(std::size_t keys) {
  return std::bit_ceil(std::max<std::size_t>(16, 2 * keys));
}

std::string bytes_of(std::uint64_t number) {
  std::string bytes;
  exact::append_u64(bytes, number);
  return bytes;
}

}  // namespace

// Numbers with the first row of each.
class RepeatedKeys::NumberTable {
 public:
  static constexpr std::size_t kPlaceBytes = sizeof(Numbered), kUsualRecord = sizeof(Numbered);

  NumberTable(std::size_t keys, bool /*records_stay*/, OffendingRows& repeats,
              std::size_t most_first)
      : places_(places_for(keys)), repeats_(repeats), first_(most_first) {}

  void add_block(std::string_view block, std::size_t pass, std::size_t passes) {
    const std::size_t records = block.size() / sizeof(Numbered);
    for (std::size_t i = 0; i < records; ++i) {
      Numbered record;
      std::memcpy(&record, block.data() + i * sizeof(Numbered), sizeof(Numbered));
      if (passes == 1 || (record.hash >> kPassAt) % passes == pass) add(record);
    }
  }

  std::vector<RepeatedKey> first() {
    for (RepeatedKey& repeat : first_.kept()) {
      std::string_view bytes = repeat.key;
      std::uint64_t key = 0;
      exact::read_u64(bytes, key);
      repeat.first_row = place_of(exact::mix(key)).row;
    }
    return std::move(first_.kept());
  }

 private:
  Numbered& place_of(std::uint64_t hash) {
    std::size_t at = hash >> kPartBits & (places_.size() - 1);
    while (places_[at].row != kNoRow && places_[at].hash != hash)
      at = (at + 1) & (places_.size() - 1);
    return places_[at];
  }

  void add(Numbered record) {
    Numbered& place = place_of(record.hash);
    if (place.row == kNoRow) {
      place = record;
      if (2 * ++used_places_ > places_.size()) grow();
      return;
    }
    const std::int64_t later = std::max(place.row, record.row);
    place.row = std::min(place.row, record.row);
    repeats_.add(later);
    if (first_.takes(later)) first_.add(later, bytes_of(exact::unmix(record.hash)));
  }

  void grow() {
    const std::vector<Numbered> before =
        std::exchange(places_, std::vector<Numbered>(2 * places_.size()));
    for (const Numbered& record : before)
      if (record.row != kNoRow) place_of(record.hash) = record;
  }

  std::vector<Numbered> places_;  // a power of two, half of them empty
  std::size_t used_places_ = 0;
  OffendingRows& repeats_;
  FirstRepeats first_;
};

// Keys of bytes with a record of the first row of each: the record that was read, where it stays in
// memory, or else a copy.
class RepeatedKeys::ByteTable {
 public:
  struct Place {
    std::uint64_t hash = 0;
    const char* record = nullptr;
  };
  static constexpr std::size_t kPlaceBytes = sizeof(Place), kUsualRecord = 2 * sizeof(Headed);

  ByteTable(std::size_t keys, bool records_stay, OffendingRows& repeats, std::size_t most_first)
      : places_(places_for(keys)),
        records_stay_(records_stay),
        repeats_(repeats),
        first_(most_first) {}

  void add_block(std::string_view block, std::size_t pass, std::size_t passes) {
    while (!block.empty()) {
      const Headed head = head_of(block.data());
      const std::string_view record = block.substr(0, sizeof(Headed) + head.size);
      block.remove_prefix(record.size());
      if (passes == 1 || (head.hash >> kPassAt) % passes == pass) add(head, record);
    }
  }

  std::vector<RepeatedKey> first() {
    for (RepeatedKey& repeat : first_.kept())
      repeat.first_row = head_of(place_of(data::xxh3_64(repeat.key), repeat.key).record).row;
    return std::move(first_.kept());
  }

 private:
  static Headed head_of(const char* record) {
    Headed head;
    std::memcpy(&head, record, sizeof head);
    return head;
  }
  static std::string_view key_of(const char* record) {
    return {record + sizeof(Headed), head_of(record).size};
  }

  Place& place_of(std::uint64_t hash, std::string_view key) {
    std::size_t at = hash >> kPartBits & (places_.size() - 1);
    for (;; at = (at + 1) & (places_.size() - 1)) {
      Place& place = places_[at];
      if (place.record == nullptr || (place.hash == hash && key_of(place.record) == key))
        return place;
    }
  }

  void add(const Headed& head, std::string_view record) {
    const std::string_view key = record.substr(sizeof(Headed));
    Place& place = place_of(head.hash, key);
    if (place.record == nullptr) {
      place = {head.hash, records_stay_ ? record.data() : copy(record)};
      if (2 * ++used_places_ > places_.size()) grow();
      return;
    }
    const std::int64_t before = head_of(place.record).row;
    const std::int64_t later = std::max(before, head.row);
    if (head.row < before) replace(place, record);
    repeats_.add(later);
    if (first_.takes(later)) first_.add(later, std::string(key));
  }
  // By a record of the same key. A copy is ours to write to.
  void replace(Place& place, std::string_view record) {
    if (records_stay_)
      place.record = record.data();
    else
      std::memcpy(const_cast<char*>(place.record), record.data(), sizeof(Headed));
  }

  const char* copy(std::string_view record) {
    constexpr std::size_t kBlock = std::size_t{1} << 16;
    if (copies_.empty() || used_ + record.size() > size_) {
      size_ = std::max(kBlock, record.size());
      used_ = 0;
      copies_.push_back(std::make_unique_for_overwrite<char[]>(size_));
    }
    char* at = copies_.back().get() + used_;
    std::memcpy(at, record.data(), record.size());
    used_ += record.size();
    return at;
  }

  void grow() {
    const std::vector<Place> before =
        std::exchange(places_, std::vector<Place>(2 * places_.size()));
    for (const Place& place : before)
      if (place.record != nullptr) place_of(place.hash, key_of(place.record)) = place;
  }

  std::vector<Place> places_;  // a power of two, half of them empty
  std::size_t used_places_ = 0;
  const bool records_stay_;
  std::vector<std::unique_ptr<char[]>> copies_;
  std::size_t used_ = 0, size_ = 0;
  OffendingRows& repeats_;
  FirstRepeats first_;
};

RepeatedKeys::RepeatedKeys(Keys keys, std::size_t memory_bytes, const std::string& folder,
                           OffendingRows repeats, std::size_t most_first)
    : keys_(keys),
      memory_bytes_(memory_bytes),
      store_(kParts, memory_bytes, folder),
      repeats_(std::move(repeats)),
      most_first_(most_first) {}

Status RepeatedKeys::add(std::uint64_t key, std::int64_t row) {
  const Numbered record{exact::mix(key), row};
  COEVAL_ASSIGN(char* const at, store_.add(part_of(record.hash), sizeof record));
  std::memcpy(at, &record, sizeof record);
  return {};
}

Status RepeatedKeys::add(std::string_view key, std::int64_t row) {
  const Headed head{data::xxh3_64(key), row, key.size()};
  COEVAL_ASSIGN(char* const at, store_.add(part_of(head.hash), sizeof head + key.size()));
  std::memcpy(at, &head, sizeof head);
  std::memcpy(at + sizeof head, key.data(), key.size());
  return {};
}

Status RepeatedKeys::merge(RepeatedKeys& other) { return store_.merge(other.store_); }

void RepeatedKeys::keep_first(std::vector<RepeatedKey> found) {
  std::move(found.begin(), found.end(), std::back_inserter(first_));
  std::sort(first_.begin(), first_.end(),
            [](const RepeatedKey& a, const RepeatedKey& b) { return a.row < b.row; });
  if (first_.size() > most_first_) first_.resize(most_first_);
}

// A pass sees the records of about an even share of the hashes.
template <class Table>
Status RepeatedKeys::finish_part(std::size_t part) {
  const std::uint64_t bytes = store_.bytes(part);
  const std::size_t records = bytes / Table::kUsualRecord;
  // A table takes up to four places a key, and the bytes of keys.
  const std::uint64_t needed = 4 * records * Table::kPlaceBytes + bytes;
  const std::size_t passes =
      store_.has_spilled() ? needed / std::max<std::size_t>(memory_bytes_, 1) + 1 : 1;
  passes_ = std::max(passes_, passes);
  for (std::size_t pass = 0; pass < passes; ++pass) {
    Table table(records / passes, !store_.has_spilled(), repeats_, most_first_);
    COEVAL_TRY(
        store_.each(part, [&](std::string_view block) { table.add_block(block, pass, passes); }));
    keep_first(table.first());
  }
  store_.drop(part);
  return {};
}

Status RepeatedKeys::finish() {
  if (store_.has_spilled()) COEVAL_TRY(store_.spill());
  for (std::size_t part = 0; part < kParts; ++part) {
    if (store_.bytes(part) == 0) continue;
    COEVAL_TRY(keys_ == Keys::numbers ? finish_part<NumberTable>(part)
                                      : finish_part<ByteTable>(part));
  }
  return {};
}

}  // namespace coeval::quality
