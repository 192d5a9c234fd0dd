// A state in a StateStore. Besides the units of the state's parts there is one unit in a part of
// its own, the head: the basis; count of parts; the name and the summary of each; the
// check of the log, left out where it is not known, as in states of older versions. It is there iff
// the state is whole, so that a process that dies while it folds a history leaves nothing that
// could be taken for its end.
#include "stores/stored_state.h"

#include <algorithm>
#include <utility>

#include "data/row_codec.h"

namespace coeval::stores {

namespace {

constexpr std::uint32_t kHeadPart = StateStore::kNoPart - 1;
constexpr std::string_view kHeadKey = "head";
constexpr std::uint64_t kMaxParts = 1u << 16;

std::string encode_head(const std::string& basis, const std::vector<SnapshotPart>& parts,
                        std::uint64_t log_check) {
  std::string bytes;
  data::put_text(bytes, basis);
  data::put_u64(bytes, parts.size());
  for (const SnapshotPart& part : parts) {
    data::put_text(bytes, part.name);
    data::put_text(bytes, part.summary);
  }
  if (log_check != 0) data::put_u64(bytes, log_check);
  return bytes;
}

struct DecodedHead {
  std::string basis;
  std::vector<SnapshotPart> parts;
  std::uint64_t log_check = 0;
};

Result<DecodedHead> decode_head(std::string_view bytes) {
  data::ByteReader reader(bytes);
  DecodedHead head;
  std::string_view basis, name, summary;
  std::uint64_t count = 0;
  bool good = reader.text(basis) && reader.u64(count) && count <= kMaxParts;
  for (std::uint64_t i = 0; good && i < count; ++i) {
    good = reader.text(name) && reader.text(summary);
    if (good) head.parts.push_back({std::string(name), std::string(summary)});
  }
  if (good && reader.remaining() > 0) good = reader.u64(head.log_check);
  if (!good || reader.remaining() > 0)
    return fail(Code::snapshot_corrupt, "the head of the stored state cannot be read",
                "move the folder away: the state is rebuilt from the log");
  head.basis = basis;
  return head;
}

}  // namespace

StoredState::StoredState(std::unique_ptr<StateStore> store, std::string basis)
    : store_(std::move(store)), basis_(std::move(basis)) {}

Result<std::optional<StoredState::Head>> StoredState::find(Position end, const EventLog* log,
                                                           std::string* why) {
  COEVAL_ASSIGN(const auto position, store_->position());
  if (!position) return std::nullopt;
  const UnitKey key[] = {{kHeadPart, kHeadKey}};
  COEVAL_ASSIGN(const auto bytes, store_->read(key));
  if (!bytes[0]) {
    if (why != nullptr) *why = "it was not finished";
    return std::nullopt;
  }
  COEVAL_ASSIGN(DecodedHead head, decode_head(*bytes[0]));
  COEVAL_ASSIGN(Fitness found,
                fitness({head.basis, {*position, head.log_check}}, {basis_, end, log}));
  if (!found.fits) {
    if (why != nullptr) *why = std::move(found.why);
    return std::nullopt;
  }
  position_ = position;
  return Head{*position, std::move(head.parts), head.log_check};
}

Result<bool> StoredState::is_empty() {
  COEVAL_ASSIGN(const auto position, store_->position());
  return !position;
}

Result<std::vector<std::optional<std::string>>> StoredState::read(
    std::span<const UnitKey> keys) const {
  return store_->read(keys);
}

Status StoredState::scan(std::uint32_t part, const TakeUnit& take) const {
  return store_->scan(part, take);
}

Result<std::uint64_t> StoredState::count_units() const {
  COEVAL_TRY(store_->verify());
  const UnitKey key[] = {{kHeadPart, kHeadKey}};
  COEVAL_ASSIGN(const auto bytes, store_->read(key));
  if (!bytes[0]) return 0;
  COEVAL_ASSIGN(const DecodedHead head, decode_head(*bytes[0]));
  std::uint64_t units = 0;
  for (std::uint32_t part = 0; part < head.parts.size(); ++part)
    COEVAL_TRY(store_->scan(part, [&](const StateUnit&) -> Status {
      ++units;
      return {};
    }));
  return units;
}

Status StoredState::begin(LogPoint at, std::vector<SnapshotPart> parts) {
  frames_.clear();
  next_position_ = at.position;
  next_head_ = encode_head(basis_, parts, at.check);
  return {};
}

Status StoredState::add(const UnitFrame& frame) {
  frames_.push_back(frame);
  return {};
}

Status StoredState::publish() {
  std::vector<StateUnit> units;
  for (const UnitFrame& frame : frames_)
    COEVAL_TRY(frame.each([&](const StateUnit& unit) -> Status {
      units.push_back(unit);
      return {};
    }));
  units.push_back(
      {kHeadPart, kHeadKey, whole_ ? std::optional<std::string_view>(next_head_) : std::nullopt});
  const Status written = store_->write(units, next_position_);
  frames_.clear();
  if (written && whole_) position_ = next_position_;
  return written;
}

}  // namespace coeval::stores
