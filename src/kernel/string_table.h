#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "exact/key_hash.h"

namespace coeval::kernel {

class StringTable;

/// A string's key in sketches and records: its SHA-256, cut, so that nobody can make two strings
/// collide.
exact::Key128 key_of_text(std::string_view text);

/// A string that something in a view's state holds. Its address stands for it in records, which
/// have no room for more.
struct InternedString {
  std::string text;
  StringTable* table = nullptr;
  std::int64_t uses = 0;
  bool answered = false;      ///< kept for the one who asked, see AnsweredTexts::release
  exact::Key128 key() const;  ///< key_of_text, computed once

 private:
  mutable std::optional<exact::Key128> key_;
};

/// The strings that a view's state holds, each once, with the number of its uses; one that is used
/// no more is given up. Nothing else of it is state: addresses never reach bytes. (semantics: A5)
/// Threading: one thread at a time.
class StringTable {
 public:
  StringTable() = default;
  StringTable(const StringTable&) = delete;
  StringTable& operator=(const StringTable&) = delete;

  /// The string, with one use more, which release() ends.
  InternedString* take(std::string_view text);
  static void retain(InternedString* string) { ++string->uses; }
  static void release(InternedString* string) {
    if (--string->uses > 0) return;
    auto& strings = string->table->strings_;
    string->table->text_bytes_ -= string->text.size();
    strings.erase(strings.find(string->text));
  }
  std::size_t size() const { return strings_.size(); }
  /// Of all texts.
  std::size_t text_bytes() const { return text_bytes_; }
  /// Drops all strings, whatever still uses them.
  void clear() {
    strings_.clear();
    text_bytes_ = 0;
  }

 private:
  std::unordered_map<std::string_view, std::unique_ptr<InternedString>> strings_;
  std::size_t text_bytes_ = 0;
};

/// A use of a string, or nothing.
class StringRef {
 public:
  StringRef() = default;
  explicit StringRef(InternedString* string) : string_(string) {
    if (string_ != nullptr) StringTable::retain(string_);
  }
  StringRef(const StringRef& other) : StringRef(other.string_) {}
  StringRef(StringRef&& other) noexcept : string_(std::exchange(other.string_, nullptr)) {}
  StringRef& operator=(StringRef other) noexcept {
    std::swap(string_, other.string_);
    return *this;
  }
  ~StringRef() {
    if (string_ != nullptr) StringTable::release(string_);
  }
  /// Takes over a use.
  static StringRef adopt(InternedString* string) {
    StringRef ref;
    ref.string_ = string;
    return ref;
  }

  InternedString* get() const { return string_; }
  std::string_view text() const { return string_->text; }
  explicit operator bool() const { return string_ != nullptr; }

 private:
  InternedString* string_ = nullptr;
};

/// The 64 bits that stand for a string in a record or a cell, and back.
inline std::uint64_t bits_of_string(const InternedString* string) {
  return reinterpret_cast<std::uint64_t>(string);
}
inline InternedString* string_of_bits(std::uint64_t bits) {
  return reinterpret_cast<InternedString*>(bits);
}

}  // namespace coeval::kernel
