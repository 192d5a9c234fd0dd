#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/json.h"
#include "stores/run_store.h"

namespace coeval::adapters::openlineage {

struct Field {
  std::string name, type, description;
};

/// A file or a model, as OpenLineage names it.
struct Dataset {
  std::string space, name;   ///< "file", "/data/orders.csv"
  std::string version = {};  ///< hash of its content; empty: not known
  std::vector<Field> fields = {};
  std::optional<std::int64_t> rows_count = {}, size_bytes = {};
  std::optional<std::int64_t> labelled_count = {}, positives_count = {};  ///< of a model's rows
};

/// One dependence of a column on a column of an input: OpenLineage's type and subtype.
struct Origin {
  std::size_t input = 0;  ///< index into BuildLineage::sources
  std::string field;
  std::string type, subtype;  ///< "DIRECT", "AGGREGATION"
};
struct Column {
  std::string field, description;
  std::vector<Origin> origins;
};

/// A training run and what it read and wrote. What is not known any more is left out.
struct BuildLineage {
  stores::Run run;
  std::string project, engine;  ///< "shop", "coeval 0.1.0"
  std::string definition;       ///< text of coeval.toml that it was built from; may be empty
  std::string purpose;          ///< comments of the model's table; may be empty
  std::vector<Dataset> sources;
  std::optional<Dataset> rows;  ///< the model's rows
  std::vector<Column> columns;  ///< of the rows
  std::optional<Dataset> model;
};

/// The run's events by OpenLineage 2-0-2, in order of time: the build MODEL.build, and within it
/// the steps MODEL.dataset and MODEL.train that are known to have been run, each a START and a
/// COMPLETE or FAIL; a trial of a search is MODEL.trial, within its parent's build. An interrupted
/// run ends with ABORT when it is known to have, at the time of its start; one that is running has
/// only a START.
///
/// Steps follow one another: their times are worked out from the run's start and their durations.
/// Run ids are UUIDs (version 7: the time of the run's start, then a hash of project, run and
/// job), so that the same run has the same events each time. Pure.
std::vector<data::Json> run_events(const BuildLineage& build);

}  // namespace coeval::adapters::openlineage
