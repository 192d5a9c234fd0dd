#include "kernel/text_functions.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <string>

#include "base/check.h"
#include "define/conversion.h"
#include "kernel/block_rows.h"
#include "kernel/letter_case.h"

namespace coeval::kernel {

namespace {

using define::Expr;
using define::Op;

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

std::int64_t characters(std::string_view text) {
  const bool stray = !text.empty() && !starts_character(text[0]);
  return std::count_if(text.begin(), text.end(), starts_character) + (stray ? 1 : 0);
}

// The place of a text in another, or npos, in time linear in both.
std::size_t find_text(std::string_view text, std::string_view part) {
  if (part.empty()) return 0;
  if (part.size() > text.size()) return std::string_view::npos;
  const void* found = memmem(text.data(), text.size(), part.data(), part.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

std::size_t occurrences(std::string_view text, std::string_view part) {
  if (part.empty()) return 0;
  std::size_t count = 0;
  for (std::size_t at; (at = find_text(text, part)) != std::string_view::npos; ++count)
    text.remove_prefix(at + part.size());
  return count;
}

// Room for a text in the arena: false when it is too long, null when the block's budget is spent.
bool make_room(std::size_t bytes, const BlockContext& block, char*& room) {
  if (bytes > kMaxTextBytes) return false;
  room = block.arena.take_text(bytes);
  return true;
}

// --- spaces: Unicode's category Zs
// -----------------------------------------------------------------

constexpr auto kSpaces = std::to_array<std::string_view>(
    {" ", "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
     "\u2007", "\u2008", "\u2009", "\u200A", "\u202F", "\u205F", "\u3000"});

std::string_view without_leading(std::string_view text) {
  while (true) {
    const auto space = std::ranges::find_if(
        kSpaces, [text](std::string_view candidate) { return text.starts_with(candidate); });
    if (space == kSpaces.end()) return text;
    text.remove_prefix(space->size());
  }
}

std::string_view without_trailing(std::string_view text) {
  while (true) {
    const auto space = std::ranges::find_if(
        kSpaces, [text](std::string_view candidate) { return text.ends_with(candidate); });
    if (space == kSpaces.end()) return text;
    text.remove_suffix(space->size());
  }
}

std::string_view trimmed(Op op, std::string_view text) {
  if (op != Op::fn_rtrim) text = without_leading(text);
  return op != Op::fn_ltrim ? without_trailing(text) : text;
}

// --- parts
// -----------------------------------------------------------------------------------------

// Bytes before character `index`, or all of them.
std::size_t offset_of(std::string_view text, std::int64_t index) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!starts_character(text[i]) && i > 0) continue;
    if (index-- <= 0) return i;
  }
  return text.size();
}

// Characters [begin, end) counted from 0, both perhaps outside of the text.
std::string_view character_range(std::string_view text, std::int64_t begin, std::int64_t end) {
  begin = std::max<std::int64_t>(begin, 0);
  if (end <= begin) return {};
  text.remove_prefix(offset_of(text, begin));
  return text.substr(0, offset_of(text, end - begin));
}

constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();

std::int64_t saturating_sum(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return a < 0 ? std::numeric_limits<std::int64_t>::min() : kEnd;
}

// Positions count from 1, and from the end where they are negative; 0 is the place before the
// first. `length` is null where the rest is wanted.
std::string_view substring(std::string_view text, std::int64_t start, const std::int64_t* length) {
  const std::int64_t begin = start >= 0 ? start - 1 : saturating_sum(characters(text), start);
  if (length == nullptr) return character_range(text, begin, kEnd);
  return character_range(text, begin, saturating_sum(begin, std::max<std::int64_t>(*length, 0)));
}

std::string_view part_of(std::string_view text, std::string_view separator, std::int64_t number) {
  if (number < 0)
    number = saturating_sum(static_cast<std::int64_t>(occurrences(text, separator)) + 2, number);
  if (number < 1) return {};
  if (separator.empty()) return number == 1 ? text : std::string_view();
  for (; number > 1; --number) {
    const std::size_t at = find_text(text, separator);
    if (at == std::string_view::npos) return {};
    text.remove_prefix(at + separator.size());
  }
  return text.substr(0, find_text(text, separator));
}

// --- new texts
// -------------------------------------------------------------------------------------

bool in_case(LetterCase to, std::string_view text, const BlockContext& block,
             std::string_view& out) {
  char* room = nullptr;
  const std::size_t size = mapped_size(to, text);
  if (!make_room(size, block, room)) return false;
  if (room == nullptr) return true;
  write_mapped(to, text, room);
  out = {room, size};
  return true;
}

bool replaced(std::string_view text, std::string_view from, std::string_view to,
              const BlockContext& block, std::string_view& out) {
  const std::size_t count = occurrences(text, from);
  out = text;
  if (count == 0) return true;
  const std::size_t size = text.size() - count * from.size() + count * to.size();
  char* room = nullptr;
  out = {};
  if (!make_room(size, block, room)) return false;
  if (room == nullptr) return true;
  out = {room, size};
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = find_text(text, from);
    room = std::copy_n(text.begin(), at, room);
    room = std::copy(to.begin(), to.end(), room);
    text.remove_prefix(at + from.size());
  }
  std::copy(text.begin(), text.end(), room);
  return true;
}

bool joined(std::span<const Slice> args, std::size_t row, const BlockContext& block,
            std::string_view& out) {
  std::size_t size = 0;
  for (const Slice& arg : args) size += arg.strings[row].size();
  char* room = nullptr;
  if (!make_room(size, block, room)) return false;
  if (room == nullptr) return true;
  out = {room, size};
  for (const Slice& arg : args)
    room = std::copy(arg.strings[row].begin(), arg.strings[row].end(), room);
  return true;
}

std::string_view text_at(const Slice& slice, data::Type type, std::size_t row,
                         define::ValueText& text) {
  switch (lane_of(type)) {
    case Lane::boolean:
      return text.of_boolean(slice.booleans[row] != 0);
    case Lane::integer:
      return text.of_integer(slice.integers[row], type);
    case Lane::real:
      return text.of_real(slice.reals[row], type);
    default:
      return slice.strings[row];
  }
}

// No two combinations have one text: a bar that joins has no backslash before it.
void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\' || c == '|') out += '\\';
    out += c;
  }
}

Slice cross(const Expr& expr, std::span<const Slice> args, const BlockContext& block) {
  std::string text;
  define::ValueText value;
  return made_rows<std::string_view>(
      all_valid(args, block), block.counts.long_texts, block,
      [&](std::size_t row, std::string_view& out) {
        text.clear();
        for (std::size_t i = 0; i < args.size() && text.size() <= kMaxTextBytes; ++i) {
          if (i > 0) text += '|';
          append_escaped(text, text_at(args[i], expr.args[i]->type, row, value));
        }
        return keep_text(text, block, out);
      });
}

// --- over a block
// ----------------------------------------------------------------------------------

Slice new_text(const Expr& expr, std::span<const Slice> args, const BlockContext& block) {
  const auto make = [&](std::size_t i, std::string_view& out) {
    switch (expr.op) {
      case Op::fn_lower:
        return in_case(LetterCase::lower, args[0].strings[i], block, out);
      case Op::fn_upper:
        return in_case(LetterCase::upper, args[0].strings[i], block, out);
      case Op::fn_replace:
        return replaced(args[0].strings[i], args[1].strings[i], args[2].strings[i], block, out);
      default:
        return joined(args, i, block, out);
    }
  };
  return made_rows<std::string_view>(all_valid(args, block), block.counts.long_texts, block, make);
}

Slice part_of_text(const Expr& expr, std::span<const Slice> args, const BlockContext& block) {
  const auto text = [&](std::size_t i) { return args[0].strings[i]; };
  const std::uint8_t* valid = all_valid(args, block);
  switch (expr.op) {
    case Op::fn_substr:
      return sure_rows<std::string_view>(valid, block, [&](std::size_t i) {
        const std::int64_t* length = args.size() > 2 ? args[2].integers + i : nullptr;
        return substring(text(i), args[1].integers[i], length);
      });
    case Op::fn_split_part:
      return sure_rows<std::string_view>(valid, block, [&](std::size_t i) {
        return part_of(text(i), args[1].strings[i], args[2].integers[i]);
      });
    default:
      return sure_rows<std::string_view>(valid, block,
                                         [&](std::size_t i) { return trimmed(expr.op, text(i)); });
  }
}

Slice test_of_text(const Expr& expr, std::span<const Slice> args, const BlockContext& block) {
  const auto* text = args[0].strings;
  const std::uint8_t* valid = all_valid(args, block);
  if (expr.pattern)
    return sure_rows<std::uint8_t>(
        valid, block, [&](std::size_t i) { return expr.pattern->matches(text[i]) ? 1 : 0; });
  const auto* part = args[1].strings;
  switch (expr.op) {
    case Op::fn_contains:
      return sure_rows<std::uint8_t>(valid, block, [&](std::size_t i) {
        return find_text(text[i], part[i]) != std::string_view::npos ? 1 : 0;
      });
    case Op::fn_starts_with:
      return sure_rows<std::uint8_t>(
          valid, block, [&](std::size_t i) { return text[i].starts_with(part[i]) ? 1 : 0; });
    default:
      COEVAL_CHECK(expr.op == Op::fn_ends_with);
      return sure_rows<std::uint8_t>(
          valid, block, [&](std::size_t i) { return text[i].ends_with(part[i]) ? 1 : 0; });
  }
}

}  // namespace

bool keep_text(std::string_view text, const BlockContext& block, std::string_view& out) {
  char* room = nullptr;
  if (!make_room(text.size(), block, room)) return false;
  if (room == nullptr) return true;
  std::copy(text.begin(), text.end(), room);
  out = {room, text.size()};
  return true;
}

Slice text_function(const Expr& expr, std::span<const Slice> args, const BlockContext& block) {
  switch (expr.op) {
    case Op::fn_lower:
    case Op::fn_upper:
    case Op::fn_replace:
    case Op::fn_concat:
      return new_text(expr, args, block);
    case Op::fn_cross:
      return cross(expr, args, block);
    case Op::fn_length:
      return sure_rows<std::int64_t>(args[0].valid, block,
                                     [&](std::size_t i) { return characters(args[0].strings[i]); });
    case Op::fn_trim:
    case Op::fn_ltrim:
    case Op::fn_rtrim:
    case Op::fn_substr:
    case Op::fn_split_part:
      return part_of_text(expr, args, block);
    default:
      return test_of_text(expr, args, block);
  }
}

}  // namespace coeval::kernel
