#include "models/ubj.h"

#include <bit>
#include <charconv>
#include <concepts>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

namespace coeval::models {
namespace {

constexpr int kMaxDepth = 64;

/// Bytes of a number with this marker; 0 when the marker is not of a number.
std::size_t number_width(char marker) {
  switch (marker) {
    case 'i':
    case 'U':
      return 1;
    case 'I':
      return 2;
    case 'l':
    case 'd':
      return 4;
    case 'L':
    case 'D':
      return 8;
    default:
      return 0;
  }
}

bool is_real(char marker) { return marker == 'd' || marker == 'D'; }

template <std::unsigned_integral T>
T big_endian(const char* at) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value << 8 | static_cast<unsigned char>(at[i]));
  }
  return value;
}
template <>
std::uint8_t big_endian(const char* at) {
  return static_cast<std::uint8_t>(*at);
}

std::int64_t decode_integer(char marker, const char* at) {
  switch (marker) {
    case 'i':
      return static_cast<std::int8_t>(big_endian<std::uint8_t>(at));
    case 'U':
      return big_endian<std::uint8_t>(at);
    case 'I':
      return static_cast<std::int16_t>(big_endian<std::uint16_t>(at));
    case 'l':
      return static_cast<std::int32_t>(big_endian<std::uint32_t>(at));
    default:
      return static_cast<std::int64_t>(big_endian<std::uint64_t>(at));
  }
}

double decode_real(char marker, const char* at) {
  if (marker == 'd') return std::bit_cast<float>(big_endian<std::uint32_t>(at));
  return std::bit_cast<double>(big_endian<std::uint64_t>(at));
}

/// Every element of a typed array, each a Stored; false where T does not hold one.
template <std::integral Stored, std::integral T>
bool decode_all(std::string_view bytes, std::vector<T>& values) {
  bool fit = true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto value = static_cast<Stored>(
        big_endian<std::make_unsigned_t<Stored>>(bytes.data() + i * sizeof(Stored)));
    fit &= std::in_range<T>(value);
    values[i] = static_cast<T>(value);
  }
  return fit;
}

template <std::integral T>
bool decode_integers(char marker, std::string_view bytes, std::vector<T>& values) {
  switch (marker) {
    case 'i':
      return decode_all<std::int8_t>(bytes, values);
    case 'U':
      return decode_all<std::uint8_t>(bytes, values);
    case 'I':
      return decode_all<std::int16_t>(bytes, values);
    case 'l':
      return decode_all<std::int32_t>(bytes, values);
    case 'L':
      return decode_all<std::int64_t>(bytes, values);
    default:
      return values.empty();  // of reals
  }
}

/// The whole text as a number, rounded once.
template <class T>
std::optional<T> number_in(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// XGBoost 1.7 writes NaN into JSON. Infinity is what newer versions may write.
std::optional<float> real_in(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<float>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<float>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<float>::infinity();
  return number_in<float>(text);
}

std::optional<std::int64_t> integer_in(std::string_view text) {
  if (text == "true") return 1;
  if (text == "false") return 0;
  return number_in<std::int64_t>(text);
}

}  // namespace

const Ubj* Ubj::find(std::string_view key) const {
  for (const auto& [name, value] : members_) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::optional<std::int64_t> Ubj::integer_at(std::size_t index) const {
  if (index >= size()) return std::nullopt;
  if (!tokens_.empty()) return integer_in(tokens_[index]);
  if (marker_ == 0) {
    const Ubj& element = elements_[index];
    if (element.kind_ != Kind::integer) return std::nullopt;
    return element.integer_;
  }
  if (is_real(marker_)) return std::nullopt;
  return decode_integer(marker_, bytes_.data() + index * number_width(marker_));
}

std::optional<float> Ubj::real_at(std::size_t index) const {
  if (index >= size()) return std::nullopt;
  if (!tokens_.empty()) return real_in(tokens_[index]);
  if (marker_ == 0) {
    const Ubj& element = elements_[index];
    if (element.kind_ != Kind::real) return std::nullopt;
    return static_cast<float>(element.real_);
  }
  if (!is_real(marker_)) return std::nullopt;
  return static_cast<float>(decode_real(marker_, bytes_.data() + index * number_width(marker_)));
}

template <class T>
std::optional<std::vector<T>> Ubj::integers() const {
  std::vector<T> values(size());
  if (tokens_.empty() && marker_ != 0) {
    if (!decode_integers(marker_, bytes_, values)) return std::nullopt;
    return values;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto element = integer_at(i);
    if (!element || !std::in_range<T>(*element)) return std::nullopt;
    values[i] = static_cast<T>(*element);
  }
  return values;
}
template std::optional<std::vector<std::uint8_t>> Ubj::integers() const;
template std::optional<std::vector<std::int32_t>> Ubj::integers() const;
template std::optional<std::vector<std::int64_t>> Ubj::integers() const;

std::optional<std::vector<float>> Ubj::reals() const {
  std::vector<float> values(size());
  if (tokens_.empty() && marker_ == 'd') {
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] =
          std::bit_cast<float>(big_endian<std::uint32_t>(bytes_.data() + i * sizeof(float)));
    return values;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto element = real_at(i);
    if (!element) return std::nullopt;
    values[i] = *element;
  }
  return values;
}

/// One pass over the bytes. Every length is checked against what is left before it is believed.
class UbjReader {
 public:
  explicit UbjReader(std::string_view bytes) : bytes_(bytes) {}

  Result<Ubj> read_document() {
    COEVAL_ASSIGN(Ubj value, read_value(0));
    if (at_ != bytes_.size()) return fault("bytes after the end of the document");
    return value;
  }

 private:
  std::unexpected<Error> fault(const std::string& what) const {
    return fail(Code::bad_model, "not a UBJSON model: " + what + " at byte " + std::to_string(at_),
                "the file is damaged or of another format; take it from its source again");
  }

  std::size_t left() const { return bytes_.size() - at_; }

  Result<char> take_marker() {
    while (left() > 0 && bytes_[at_] == 'N') ++at_;  // no-op
    if (left() == 0) return fault("unexpected end");
    return bytes_[at_++];
  }

  bool take_if(char expected) {
    if (left() == 0 || bytes_[at_] != expected) return false;
    ++at_;
    return true;
  }

  Result<std::string_view> take(std::size_t size) {
    if (size > left()) return fault("a length of " + std::to_string(size) + " goes beyond the end");
    const std::string_view taken = bytes_.substr(at_, size);
    at_ += size;
    return taken;
  }

  Result<std::size_t> read_length() {
    COEVAL_ASSIGN(const char marker, take_marker());
    if (number_width(marker) == 0 || is_real(marker)) return fault("a length is not an integer");
    COEVAL_ASSIGN(const std::string_view digits, take(number_width(marker)));
    const std::int64_t length = decode_integer(marker, digits.data());
    if (length < 0) return fault("a negative length");
    return static_cast<std::size_t>(length);
  }

  Result<std::string_view> read_text() {
    COEVAL_ASSIGN(const std::size_t length, read_length());
    return take(length);
  }

  Result<Ubj> read_value(int depth) {
    COEVAL_ASSIGN(const char marker, take_marker());
    return read_payload(marker, depth);
  }

  Result<Ubj> read_payload(char marker, int depth) {
    switch (marker) {
      case 'Z':
        return Ubj();
      case 'T':
      case 'F':
        return make_integer(Ubj::Kind::boolean, marker == 'T');
      case 'S':
        return read_string();
      case '[':
        return read_array(depth + 1);
      case '{':
        return read_object(depth + 1);
      default:
        return read_number(marker);
    }
  }

  static Ubj make_integer(Ubj::Kind kind, std::int64_t integer) {
    Ubj value;
    value.kind_ = kind;
    value.integer_ = integer;
    return value;
  }

  Result<Ubj> read_number(char marker) {
    const std::size_t width = number_width(marker);
    if (width == 0) return fault("unknown type marker");
    COEVAL_ASSIGN(const std::string_view digits, take(width));
    if (!is_real(marker)) {
      return make_integer(Ubj::Kind::integer, decode_integer(marker, digits.data()));
    }
    Ubj value;
    value.kind_ = Ubj::Kind::real;
    value.real_ = decode_real(marker, digits.data());
    return value;
  }

  Result<Ubj> read_string() {
    Ubj value;
    value.kind_ = Ubj::Kind::string;
    COEVAL_ASSIGN(value.bytes_, read_text());
    return value;
  }

  Result<Ubj> read_array(int depth) {
    if (depth > kMaxDepth) return fault("nested too deeply");
    if (take_if('$')) return read_typed_array();
    Ubj value;
    value.kind_ = Ubj::Kind::array;
    if (!take_if('#')) {
      while (!take_if(']')) COEVAL_TRY(append_element(value, depth));
      return value;
    }
    COEVAL_ASSIGN(const std::size_t count, read_length());
    // Every element takes a byte at least. Nothing is reserved: nested lies would add up.
    if (count > left()) return fault("an array is longer than the file");
    for (std::size_t i = 0; i < count; ++i) COEVAL_TRY(append_element(value, depth));
    return value;
  }

  Status append_element(Ubj& array, int depth) {
    COEVAL_ASSIGN(Ubj element, read_value(depth));
    array.elements_.push_back(std::move(element));
    return {};
  }

  Result<Ubj> read_typed_array() {
    COEVAL_ASSIGN(const char marker, take_marker());
    const std::size_t width = number_width(marker);
    if (width == 0) return fault("an array of a type other than numbers");
    if (!take_if('#')) return fault("a typed array without a count");
    COEVAL_ASSIGN(const std::size_t count, read_length());
    if (count > left() / width) return fault("an array is longer than the file");
    Ubj value;
    value.kind_ = Ubj::Kind::array;
    value.marker_ = marker;
    value.count_ = count;
    COEVAL_ASSIGN(value.bytes_, take(count * width));
    return value;
  }

  Result<Ubj> read_object(int depth) {
    if (depth > kMaxDepth) return fault("nested too deeply");
    Ubj value;
    value.kind_ = Ubj::Kind::object;
    while (!take_if('}')) {
      COEVAL_ASSIGN(const std::string_view key, read_text());
      COEVAL_ASSIGN(Ubj member, read_value(depth));
      value.members_.emplace_back(key, std::move(member));
    }
    return value;
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
};

Result<Ubj> read_ubj(std::string_view bytes) { return UbjReader(bytes).read_document(); }

}  // namespace coeval::models
