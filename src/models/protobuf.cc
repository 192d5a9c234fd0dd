#include "models/protobuf.h"

namespace coeval::models {
namespace {

std::unexpected<Error> bad_message(const std::string& what) {
  return fail(Code::bad_model, "the file " + what,
              "the file is damaged or of another format; take it from its source again");
}

}  // namespace

Result<std::uint64_t> ProtobufReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (left_.empty()) return bad_message("is cut off inside a number");
    const auto byte = static_cast<std::uint8_t>(left_.front());
    left_.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 127) << shift;
    if (byte < 128) return value;
  }
  return bad_message("holds a number of over 64 bits");
}

Result<std::uint64_t> ProtobufReader::fixed(std::size_t bytes) {
  if (left_.size() < bytes) return bad_message("is cut off inside a number");
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(left_[i])) << 8 * i;
  }
  left_.remove_prefix(bytes);
  return value;
}

Result<std::optional<ProtobufField>> ProtobufReader::next() {
  using Wire = ProtobufField::Wire;
  if (left_.empty()) return std::nullopt;
  COEVAL_ASSIGN(const std::uint64_t tag, varint());
  if (tag >> 3 == 0 || tag >> 32 != 0) return bad_message("holds a field without a number");
  ProtobufField field;
  field.number = static_cast<std::uint32_t>(tag >> 3);
  field.wire = static_cast<Wire>(tag & 7);
  switch (field.wire) {
    case Wire::varint: {
      COEVAL_ASSIGN(field.value, varint());
      return field;
    }
    case Wire::fixed64: {
      COEVAL_ASSIGN(field.value, fixed(8));
      return field;
    }
    case Wire::fixed32: {
      COEVAL_ASSIGN(field.value, fixed(4));
      return field;
    }
    case Wire::bytes: {
      COEVAL_ASSIGN(const std::uint64_t size, varint());
      if (size > left_.size()) {
        return bad_message("is cut off: a part of " + std::to_string(size) +
                           " bytes begins where " + std::to_string(left_.size()) + " are left");
      }
      field.bytes = left_.substr(0, static_cast<std::size_t>(size));
      left_.remove_prefix(static_cast<std::size_t>(size));
      return field;
    }
  }
  return bad_message("holds a field of unknown type " + std::to_string(tag & 7));
}

}  // namespace coeval::models
