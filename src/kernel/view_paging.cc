// Entities outside memory: how they come in when their keys are named, and leave when there are too
// many. What leaves stands in the units as it is, so that nothing is ever written here.
#include <algorithm>
#include <cstdint>

#include "base/check.h"
#include "kernel/view_state.h"

namespace coeval::kernel {

namespace {

// At most so many keys are asked for at once.
constexpr std::size_t kKeysAtOnce = 1024;
// What an entity takes besides its key and events: itself, its places in the table of keys, the
// head of its chunk, and what the allocator adds.
constexpr std::size_t kEntityBytes = 112;
// What a string takes besides its text.
constexpr std::size_t kStringBytes = 160;
// What was folded away takes so much for each aggregate that keeps values, about.
constexpr std::size_t kCollectionBytes = 512;

}  // namespace

void ViewState::page_from(UnitSource& units, std::uint32_t part) {
  units_ = &units;
  units_part_ = part;
}

Status ViewState::fetch(std::span<const std::string> keys) {
  std::vector<std::string_view> wanted(keys.begin(), keys.end());
  std::ranges::sort(wanted);
  const auto repeated = std::ranges::unique(wanted);
  wanted.erase(repeated.begin(), repeated.end());
  for (std::size_t first = 0; first < wanted.size(); first += kKeysAtOnce) {
    const auto some =
        std::span(wanted).subspan(first, std::min(kKeysAtOnce, wanted.size() - first));
    COEVAL_ASSIGN(const auto units, units_->read_units(units_part_, some));
    COEVAL_CHECK(units.size() == some.size());
    for (std::size_t i = 0; i < some.size(); ++i)
      if (units[i]) COEVAL_TRY(bring_in(some[i], *units[i]));
  }
  return {};
}

Status ViewState::bring_in(std::string_view key, std::string_view bytes) {
  if (keys_.find(key) != KeyTable::kNull) return {};
  const std::int32_t number = keys_.intern(key);
  add_entities();
  Entity& e = entity(number);
  const std::size_t taken_back = leaving_.size();
  const bool good = take_unit(bytes, number, Expired::given_up) && bytes.empty();
  if (leaving_.size() > taken_back) order_taken_back();
  if (!good) {
    drop(e);
    for (const TakenBack& event : taken_back_[number]) release_strings(event.record.data());
    taken_back_.erase(number);
    std::erase_if(leaving_, [number](const auto& event) { return event.second == number; });
    keys_.forget_last();
    add_entities();
    return fail(
        Code::snapshot_corrupt, "the state of an entity cannot be read back",
        "stop the server and move its state folder away: the state is rebuilt from the log");
  }
  if (!e.has_events() && e.base == nullptr && !taken_back_.contains(number))
    before_change(e, number);  // nothing is left of it
  return {};
}

void ViewState::touch(std::span<const std::int32_t> numbers) {
  ++uses_;
  for (const std::int32_t number : numbers)
    if (number >= 0 && number < entities_) entity(number).used = uses_;
}

FoldedEvents* ViewState::make_base() {
  ++bases_;
  return new FoldedEvents(layout_);
}

std::size_t ViewState::bytes() const {
  const std::size_t event_bytes = packing_.payload_bytes() + TimeForm{}.bytes();
  const std::size_t base_bytes =
      sizeof(FoldedEvents) + 8 * linear_count_ + kCollectionBytes * layout_.collections.size();
  return static_cast<std::size_t>(entities_) * kEntityBytes + keys_.key_bytes() +
         static_cast<std::size_t>(events_) * event_bytes + bases_ * base_bytes +
         strings_.size() * kStringBytes + strings_.text_bytes();
}

void ViewState::drop(Entity& e) {
  for (Chunk* chunk = e.first(); chunk != nullptr; chunk = next_chunk(chunk)) {
    events_ -= chunk->size();
    for (std::uint32_t slot = chunk->begin; !layout_.strings.empty() && slot < chunk->end; ++slot) {
      chunk->unpack(packing_, slot, unpacked_.data());
      release_strings(unpacked_.data());
    }
  }
  free_events(e);
  bases_ -= e.base != nullptr ? 1 : 0;
  delete e.base;
  e.base = nullptr;
}

void ViewState::drop_entities(std::size_t bytes) {
  COEVAL_CHECK(pages() && changes_.tracks() && !changes_.capturing() && !turns_began_at_);
  if (this->bytes() <= bytes) return;
  struct Candidate {
    std::uint32_t unused;  // for so long
    std::int32_t number;
  };
  std::vector<Candidate> candidates;
  for (std::int32_t number = 0; number < entities_; ++number)
    if (const Entity& e = entity(number);
        !changes_.is_noted(e.changed) && !taken_back_.contains(number))
      candidates.push_back({uses_ - e.used, number});
  std::ranges::stable_sort(candidates, std::ranges::greater{}, &Candidate::unused);
  std::vector<bool> dropped(static_cast<std::size_t>(entities_));
  // Entities and keys go when all are numbered anew.
  std::size_t still_there = 0;
  for (const auto& [unused, number] : candidates) {
    if (this->bytes() - still_there <= bytes) break;
    still_there += kEntityBytes + keys_.key(number).size();
    drop(entity(number));
    dropped[at(number)] = true;
  }
  std::vector<std::int32_t> kept;
  for (std::int32_t number = 0; number < entities_; ++number)
    if (!dropped[at(number)]) kept.push_back(number);
  renumber(kept);
}

// Entities get the numbers of their places in `kept`, which ascends; the others must be empty.
void ViewState::renumber(const std::vector<std::int32_t>& kept) {
  KeyTable keys;
  std::vector<Entity> blocks;
  blocks.reserve(kept.size());
  std::vector<std::int32_t> new_numbers(static_cast<std::size_t>(entities_), KeyTable::kNull);
  for (const std::int32_t number : kept) {
    new_numbers[at(number)] = keys.intern(keys_.key(number));
    blocks.push_back(entity(number));
  }
  keys_ = std::move(keys);
  blocks_ = std::move(blocks);
  entities_ = keys_.size();
  if (swept_ >= entities_) swept_ = 0;
  const auto new_number = [&](std::int32_t number) { return new_numbers[at(number)]; };
  changes_.renumber(new_number);
  std::map<std::int32_t, std::deque<TakenBack>> taken_back;
  for (auto& [number, events] : taken_back_)
    taken_back.emplace(new_number(number), std::move(events));
  taken_back_ = std::move(taken_back);
  for (auto& [time, number] : leaving_) number = new_number(number);
  std::ranges::sort(leaving_);
}

}  // namespace coeval::kernel
