#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace coeval::define {

/// One line of a canonical text with the lines indented below it: `key`, and for those that stand
/// for something with a name (columns, aggregates, inputs, …) the name.
struct CanonicalFact {
  std::string key, name, text;
};

/// A section of a canonical text: "view origin" and the facts below it. A line that has none below
/// is a section without facts.
struct CanonicalPart {
  std::string key, name, text;
  std::vector<CanonicalFact> facts;

  /// The texts of all facts of that key and name, or null.
  const CanonicalFact* find(std::string_view fact_key, std::string_view fact_name) const;
};

/// Takes a canonical text (ir.h) apart. Facts that share key and name, such as the columns of a
/// key, become one whose text lists them in their order.
std::vector<CanonicalPart> canonical_parts(std::string_view ir);

}  // namespace coeval::define
