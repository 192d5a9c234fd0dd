// A state in a StateStore. Besides the units of the state's parts there is one unit in a part of
// its own, the head: the basis; count of parts; the name and the summary of each. It is there iff
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

std::string encode_head(const std::string& basis, const std::vector<SnapshotPart>& parts) {
  std::string bytes;
  data::put_text(bytes, basis);
  data::put_u64(bytes, parts.size());
  for (const SnapshotPart& part : parts) {
    data::put_text(bytes, part.name);
    data::put_text(bytes, part.summary);
  }
  return bytes;
}

struct DecodedHead {
  std::string basis;
  std::vector<SnapshotPart> parts;
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
  if (!good || reader.remaining() > 0)
    return fail(Code::snapshot_corrupt, "the head of the stored state cannot be read",
                "move the folder away: the state is rebuilt from the log");
  head.basis = basis;
  return head;
}

}  // namespace

StoredState::StoredState(std::unique_ptr<StateStore> store, std::string basis)
    : store_(std::move(store)), basis_(std::move(basis)) {}

Result<std::optional<StoredState::Head>> StoredState::find(Position end) {
  COEVAL_ASSIGN(const auto position, store_->position());
  if (!position || *position > end) return std::nullopt;
  const UnitKey key[] = {{kHeadPart, kHeadKey}};
  COEVAL_ASSIGN(const auto bytes, store_->read(key));
  if (!bytes[0]) return std::nullopt;
  COEVAL_ASSIGN(DecodedHead head, decode_head(*bytes[0]));
  if (head.basis != basis_) return std::nullopt;
  position_ = position;
  return Head{*position, std::move(head.parts)};
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

Status StoredState::begin(Position position, std::vector<SnapshotPart> parts) {
  frames_.clear();
  next_position_ = position;
  next_head_ = encode_head(basis_, parts);
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
