#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "base/error.h"
#include "data/column.h"
#include "define/project.h"
#include "replay/history.h"
#include "stores/event_log.h"

namespace coeval::ingest {

/// What a project has of its sources so far: the files of the definition, and a log.
struct Past {
  const define::Project& project;
  const replay::OpenFormat& formats;
  const stores::EventLog* log = nullptr;  ///< null: there is none
};

/// Takes some rows of a source, with their known times.
using TakeRows =
    std::function<Status(const data::Batch& rows, std::span<const std::int64_t> known_us)>;

/// Hands on the accepted rows of a source, some at a time: those of its own file that were known
/// before the log's cut, in the file's order (semantics: T9), then its events in the log. Nothing
/// is kept. The file is left out when it is `except`. Errors: the format's, the log's, those of
/// `take`.
Status read_past(const Past& past, int source, const std::string& except, const TakeRows& take);

/// Takes some events of a source, with their known times and their positions.
using TakeEvents =
    std::function<Status(const data::Batch& rows, std::span<const std::int64_t> known_us,
                         std::span<const std::int64_t> positions)>;
/// The events of a source in the log alone.
Status read_logged(const define::Project& project, int source, const stores::EventLog& log,
                   const TakeEvents& take);

}  // namespace coeval::ingest
