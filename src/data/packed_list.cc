#include "data/packed_list.h"

#include <cstring>

#include "base/check.h"
#include "data/json.h"
#include "data/row_codec.h"

namespace coeval::data {

namespace {

template <class T>
T load(std::string_view bytes, std::size_t i) {
  T value;
  std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
  return value;
}

// Bytes of each element; 0 for strings, which differ.
std::size_t element_width(Type element) { return element == Type::boolean ? 1 : width(element); }

std::string element_text(const Value& value, Type element) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return to_text(value, element);
  std::string out;
  append_json_string(out, *text);
  return out;
}

void append_elements(ColumnBuilder& builder, const ListView& list, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) builder.append(list.value(i));
}

}  // namespace

void append_element(std::string& bytes, Type element, const Value& value) {
  switch (element) {
    case Type::boolean:
      return put_u8(bytes, std::get<bool>(value) ? 1 : 0);
    case Type::string:
      return put_text(bytes, std::get<std::string>(value));
    case Type::float32: {
      const auto narrow = static_cast<float>(std::get<double>(value));
      bytes.append(reinterpret_cast<const char*>(&narrow), sizeof narrow);
      return;
    }
    case Type::float64: {
      const double real = std::get<double>(value);
      bytes.append(reinterpret_cast<const char*>(&real), sizeof real);
      return;
    }
    default:
      if (width(element) == 4)
        return put_u32(bytes, static_cast<std::uint32_t>(std::get<std::int64_t>(value)));
      put_u64(bytes, static_cast<std::uint64_t>(std::get<std::int64_t>(value)));
  }
}

std::size_t ListView::size() const {
  if (const std::size_t each = element_width(element_); each > 0) return bytes_.size() / each;
  std::size_t count = 0;
  ByteReader reader(bytes_);
  for (std::string_view text; reader.text(text);) ++count;
  return count;
}

std::int64_t ListView::integer(std::size_t i) const {
  return width(element_) == 4 ? load<std::int32_t>(bytes_, i) : load<std::int64_t>(bytes_, i);
}

double ListView::real(std::size_t i) const {
  return element_ == Type::float32 ? static_cast<double>(load<float>(bytes_, i))
                                   : load<double>(bytes_, i);
}

std::string_view ListView::string(std::size_t i) const {
  ByteReader reader(bytes_);
  std::string_view text;
  for (std::size_t passed = 0; passed <= i; ++passed) COEVAL_CHECK(reader.text(text));
  return text;
}

bool ListView::is_null_element(std::size_t i) const {
  return element_ == Type::float32 && load<std::uint32_t>(bytes_, i) == kNullElement;
}

Value ListView::value(std::size_t i) const {
  if (element_ == Type::boolean) return boolean(i);
  if (element_ == Type::string) return std::string(string(i));
  if (is_float(element_)) return is_null_element(i) ? Value{} : Value{real(i)};
  return integer(i);
}

bool is_packed_list(std::string_view bytes, Type list) {
  const Type element = element_of(list);
  const std::uint32_t length = list_length(list);
  if (element == Type::string) {
    std::uint32_t count = 0;
    ByteReader reader(bytes);
    for (std::string_view text; reader.remaining() > 0; ++count)
      if (!reader.text(text)) return false;
    return length == 0 || count == length;
  }
  const std::size_t each = element_width(element);
  if (each == 0 || bytes.size() % each != 0) return false;
  if (element == Type::boolean)
    for (const char byte : bytes)
      if (byte != 0 && byte != 1) return false;
  return length == 0 || bytes.size() / each == length;
}

std::string list_text(std::string_view bytes, Type list) {
  const ListView view(bytes, list);
  const std::size_t size = view.size();
  std::string text = "[";
  for (std::size_t i = 0; i < size; ++i)
    text += (i == 0 ? "" : ", ") + element_text(view.value(i), element_of(list));
  return text + "]";
}

ListParts list_parts(const Column& lists) {
  const Type element = element_of(lists.type());
  ColumnBuilder builder(element);
  ListParts parts{{0}, {}};
  for (std::int64_t row = 0; row < lists.size(); ++row) {
    if (!lists.is_null(row)) {
      const ListView list(lists.string(row), lists.type());
      append_elements(builder, list, list.size());
    }
    parts.offsets.push_back(static_cast<std::int32_t>(builder.size()));
  }
  parts.elements = builder.finish();
  return parts;
}

}  // namespace coeval::data
