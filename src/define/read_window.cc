#include "define/read_window.h"

#include <array>
#include <tuple>

#include "base/time.h"

namespace coeval::define {

namespace {

constexpr std::int64_t kLongestUs = 36'525 * kDayUs;  // a century

struct NamedPeriod {
  std::string_view name;
  Period period;
};
constexpr std::array<NamedPeriod, 3> kPeriods = {
    {{"today", Period::day}, {"this_week", Period::week}, {"this_month", Period::month}}};

// The words between blanks.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

// A window without an offset.
std::optional<Window> read_plain(const TomlValue& value, std::string_view text,
                                 Diagnostics& errors) {
  Window window;
  window.text = text;
  for (const auto& [name, period] : kPeriods) {
    if (text != name) continue;
    window.period = period;
    return window;
  }
  if (text == "all") {
    window.us = kAllTime;
    return window;
  }
  const auto us = read_duration(value, text, "a window", 1, errors);
  if (!us) return std::nullopt;
  window.us = *us;
  return window;
}

std::optional<std::int64_t> read_offset(const TomlValue& value, std::string_view text,
                                        const std::string& what, Diagnostics& errors) {
  const auto us = parse_duration(text);
  if (!us || *us >= 0) return read_duration(value, text, "an offset", 1, errors);
  // semantics: D2
  errors.report(Code::leak, value.position,
                what + ": window " + in_quotes(value.text) + " ends " +
                    std::string(text.substr(1)) +
                    " after the question's time: it would count what has not happened yet",
                "an offset moves a window back in time: write it without the minus");
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> read_duration(const TomlValue& value, std::string_view text,
                                          const std::string& what, std::int64_t least,
                                          Diagnostics& errors) {
  const auto us = parse_duration(text);
  if (us && *us >= least && *us <= kLongestUs) return *us;
  errors.report(
      Code::bad_window, value.position, what + " cannot be " + in_quotes(text),
      "write a whole number above 0 and a unit: 90s, 15min, 3h, 14d, 2w; at most 100 years");
  return std::nullopt;
}

std::optional<Window> read_window(const TomlValue& value, const std::string& what,
                                  Diagnostics& errors) {
  const auto words = words_of(value.text);
  if (words.size() != 3 || words[1] != "offset") return read_plain(value, value.text, errors);
  auto window = read_plain(value, words[0], errors);
  const auto offset = read_offset(value, words[2], what, errors);
  if (!window || !offset) return std::nullopt;
  if (window->period != Period::none || window->us == kAllTime) {
    errors.report(Code::bad_window, value.position,
                  "window " + in_quotes(words[0]) + " has no offset",
                  "an offset goes with a length: \"7d offset 7d\"");
    return std::nullopt;
  }
  window->offset_us = *offset;
  window->text += "_offset_" + std::string(words[2]);
  if (window->reach_us() <= kLongestUs) return window;
  errors.report(
      Code::bad_window, value.position,
      "window " + in_quotes(value.text) + " begins more than 100 years before the question",
      "choose a shorter length or offset");
  return std::nullopt;
}

bool same_meaning(const Window& a, const Window& b) {
  return a.us == b.us && a.offset_us == b.offset_us && a.period == b.period;
}

bool window_before(const Window& a, const Window& b) {
  const auto place = [](const Window& window) {
    return std::tuple(static_cast<std::uint64_t>(window.us), window.offset_us, window.period);
  };
  return place(a) < place(b);
}

}  // namespace coeval::define
