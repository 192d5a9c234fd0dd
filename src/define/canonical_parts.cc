#include "define/canonical_parts.h"

#include <algorithm>
#include <array>

namespace coeval::define {

namespace {

constexpr auto kNamedSections =
    std::to_array<std::string_view>({"source", "view", "feature", "key", "model"});
constexpr auto kNamedFacts =
    std::to_array<std::string_view>({"column", "window", "aggregate", "feature", "looks_up", "key",
                                     "input", "param", "metric", "gate"});

// A word or a quoted text, taken off the front of a line.
std::string take_word(std::string_view& line) {
  std::string word;
  std::size_t at = 0;
  if (line.starts_with('"')) {
    for (at = 1; at < line.size() && line[at] != '"'; ++at) {
      if (line[at] == '\\' && at + 1 < line.size()) ++at;
      word += line[at];
    }
    ++at;
  } else {
    at = std::min(line.find(' '), line.size());
    word = line.substr(0, at);
  }
  line.remove_prefix(std::min(line.size(), at));
  if (line.starts_with(' ')) line.remove_prefix(1);
  return word;
}

// Takes key and name off the front of a line.
template <class Part, class Names>
Part read_line(std::string_view line, const Names& named) {
  Part part;
  part.key = take_word(line);
  if (std::ranges::find(named, part.key) != named.end()) part.name = take_word(line);
  part.text = line;
  return part;
}

void add_fact(CanonicalPart& part, CanonicalFact fact) {
  const auto same = std::ranges::find_if(part.facts, [&](const CanonicalFact& other) {
    return other.key == fact.key && other.name == fact.name;
  });
  if (same == part.facts.end())
    part.facts.push_back(std::move(fact));
  else
    same->text += ", " + fact.text;
}

}  // namespace

const CanonicalFact* CanonicalPart::find(std::string_view fact_key,
                                         std::string_view fact_name) const {
  const auto found = std::ranges::find_if(facts, [&](const CanonicalFact& fact) {
    return fact.key == fact_key && fact.name == fact_name;
  });
  return found == facts.end() ? nullptr : &*found;
}

std::vector<CanonicalPart> canonical_parts(std::string_view ir) {
  std::vector<CanonicalPart> parts;
  CanonicalFact* detailed = nullptr;  // whose details the next deeper lines are
  while (!ir.empty()) {
    const std::size_t end = std::min(ir.find('\n'), ir.size());
    std::string_view line = ir.substr(0, end);
    ir.remove_prefix(std::min(ir.size(), end + 1));
    const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
    line.remove_prefix(indent);
    if (line.empty()) continue;
    if (indent == 0) {
      parts.push_back(read_line<CanonicalPart>(line, kNamedSections));
      detailed = nullptr;
    } else if (parts.empty() || indent == 2) {
      if (parts.empty()) continue;
      auto fact = read_line<CanonicalFact>(line, kNamedFacts);
      const std::string key = fact.key, name = fact.name;
      add_fact(parts.back(), std::move(fact));
      for (auto& kept : parts.back().facts)
        if (kept.key == key && kept.name == name) detailed = &kept;
    } else if (detailed != nullptr) {
      detailed->text += ", " + std::string(line);
    }
  }
  return parts;
}

}  // namespace coeval::define
