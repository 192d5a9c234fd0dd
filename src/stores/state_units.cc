// A unit in a frame is, little-endian: a text, its key; u8, whether it has bytes; and where it has,
// u64 how many and these.
#include "stores/state_units.h"

#include "data/row_codec.h"

namespace coeval::stores {

void UnitFrame::append(std::string_view key, std::optional<std::string_view> bytes) {
  data::put_text(bytes_, key);
  data::put_u8(bytes_, bytes ? 1 : 0);
  if (!bytes) return;
  data::put_u64(bytes_, bytes->size());
  bytes_ += *bytes;
}

Status UnitFrame::each(const TakeUnit& take) const {
  data::ByteReader reader(bytes_);
  while (reader.remaining() > 0) {
    StateUnit unit{part_, {}, {}};
    std::uint8_t has = 0;
    std::uint64_t size = 0;
    std::string_view bytes;
    bool good = reader.text(unit.key) && reader.u8(has) && has <= 1;
    if (good && has == 1) {
      good = reader.u64(size) && reader.bytes(size, bytes);
      unit.bytes = bytes;
    }
    if (!good) return fail(Code::snapshot_corrupt, "units of a state cannot be read");
    COEVAL_TRY(take(unit));
  }
  return {};
}

}  // namespace coeval::stores
