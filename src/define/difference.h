#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "define/project.h"

namespace coeval::define {

enum class ChangeKind : std::uint8_t { added, removed, changed };
std::string_view name(ChangeKind kind);

/// One fact that two definitions do not share, in the words of the canonical text.
struct Change {
  ChangeKind kind = ChangeKind::changed;
  std::string name;           ///< "origin.late_3h", "orders.amount", "param eta", "gate auc"
  std::string before, after;  ///< canonical texts; empty where there is none
  friend bool operator==(const Change&, const Change&) = default;
};

/// What a change of the definition means for one model.
struct ModelDifference {
  std::string name;
  ChangeKind kind = ChangeKind::changed;
  std::vector<Change> inputs;     ///< by name
  bool inputs_reordered = false;  ///< those that stay stand in another order
  std::vector<Change> settings;   ///< question, label, split, gates, parameters, …
  /// Columns of the model's dataset that hold other values: inputs by name, and "label". An input
  /// whose own text is the same is among them when something that it reads changed.
  std::vector<std::string> columns_recomputed;
  /// What turns a question into inputs changed: versions built before cannot be served under the
  /// new definition.
  bool request_changed = false;
};

/// Everything that tells two definitions apart, sorted by name.
struct Difference {
  std::vector<Change> project;      ///< its name, zone and other facts of the whole
  std::vector<Change> sources;      ///< "orders" whole, or facts: "orders.known", "orders.amount"
  std::vector<Change> views;        ///< "origin" whole, or facts: "origin.lateness", "origin.by"
  std::vector<Change> features;     ///< of views: "origin.late_3h"
  std::vector<Change> expressions;  ///< of the table [features]
  std::vector<ModelDifference> models;
  /// Views whose state cannot be kept: of the new definition, new or with another view_hash.
  std::vector<std::string> rebuilt_views;

  bool empty() const;
};

/// Compares what two definitions mean. (semantics: D1) Pure: reads the definitions only. Empty iff
/// their canonical texts are equal; layout, comments and order in the file make no difference.
Difference difference(const Project& before, const Project& after);

}  // namespace coeval::define
