#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace coeval::models {

/// One field of a message in the wire format of Protocol Buffers.
struct ProtobufField {
  enum class Wire : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };
  std::uint32_t number = 0;
  Wire wire = Wire::varint;
  std::uint64_t value = 0;  ///< of varint, fixed64 and fixed32
  std::string_view bytes;   ///< of bytes: a text, a message or packed numbers, inside the input
};

/// Reads the fields of one message in order, without copying and without any memory of its own: a
/// length that goes beyond the message is an error, however large it is.
class ProtobufReader {
 public:
  explicit ProtobufReader(std::string_view message) : left_(message) {}

  /// The next field, or nothing at the end. Errors: bad_model: cut off, a length beyond the
  /// message, a number over 64 bits, field number 0, a group.
  Result<std::optional<ProtobufField>> next();

 private:
  Result<std::uint64_t> varint();
  Result<std::uint64_t> fixed(std::size_t bytes);
  std::string_view left_;
};

/// Writes the fields of one message.
class ProtobufWriter {
 public:
  ProtobufWriter& number(std::uint32_t field, std::uint64_t value) {
    return tag(field, ProtobufField::Wire::varint).varint(value);
  }
  ProtobufWriter& bytes(std::uint32_t field, std::string_view value) {
    tag(field, ProtobufField::Wire::bytes).varint(value.size());
    out_ += value;
    return *this;
  }
  ProtobufWriter& message(std::uint32_t field, const ProtobufWriter& value) {
    return bytes(field, value.out_);
  }
  /// A number of a packed list; the list is then written with bytes().
  ProtobufWriter& varint(std::uint64_t value) {
    for (; value >= 128; value >>= 7) out_ += static_cast<char>(value | 128);
    out_ += static_cast<char>(value);
    return *this;
  }
  const std::string& str() const { return out_; }

 private:
  ProtobufWriter& tag(std::uint32_t field, ProtobufField::Wire wire) {
    return varint(std::uint64_t{field} << 3 | static_cast<std::uint64_t>(wire));
  }
  std::string out_;
};

}  // namespace coeval::models
