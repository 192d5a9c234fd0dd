#include "define/diagnostics.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <tuple>

namespace coeval::define {

namespace {

constexpr std::size_t kLongestSuggested = 128;

auto sort_key(const Error& e) {
  return std::tie(e.position.file, e.position.line, e.position.column, e.code, e.message, e.advice);
}

// Edits (insert, delete, replace, swap of neighbours) between two words; limit + 1 when more. With
// limits of did_you_mean, b is shorter than twice the longest word.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  const std::size_t gap = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (gap > limit) return limit + 1;
  std::array<std::array<std::size_t, 2 * kLongestSuggested>, 3> rows;
  auto *before = rows[0].data(), *previous = rows[1].data(), *row = rows[2].data();
  std::iota(previous, previous + b.size() + 1, std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({previous[j] + 1, row[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, previous);
    std::swap(previous, row);
  }
  return std::min(previous[b.size()], limit + 1);
}

}  // namespace

void Diagnostics::report(Code code, SourcePosition position, std::string message,
                         std::string advice) {
  if (errors_.size() >= kMaxErrors) return;
  errors_.push_back({code, std::move(message), std::move(advice), std::move(position), {}});
}

std::vector<Error> Diagnostics::take() {
  std::sort(errors_.begin(), errors_.end(),
            [](const Error& a, const Error& b) { return sort_key(a) < sort_key(b); });
  const auto same = [](const Error& a, const Error& b) { return sort_key(a) == sort_key(b); };
  errors_.erase(std::unique(errors_.begin(), errors_.end(), same), errors_.end());
  return std::move(errors_);
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.size() > kLongestSuggested) return {};
  std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
  const std::string* nearest = nullptr;
  for (const auto& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate, best - 1);
    if (distance >= best || distance >= candidate.size()) continue;
    best = distance;
    nearest = &candidate;
  }
  return nearest ? "did you mean '" + *nearest + "'?" : std::string();
}

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 12;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i)
    text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kMost ? text + ", …" : text;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kMost = 60;
  std::size_t end = std::min(text.size(), kMost);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;
  std::string shown(text.substr(0, end));
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  return "'" + shown + (end < text.size() ? "…'" : "'");
}

}  // namespace coeval::define
