#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "define/project.h"
#include "replay/history.h"

namespace coeval::replay {

/// How a source's past is played against a running server.
struct TrafficOptions {
  std::string url = "http://127.0.0.1:8080";
  std::int64_t from_us = 0, to_us = 0;  ///< moments played: [from, to)
  define::ExprPtr arrival;              ///< when an event is sent; null = when the definition says
  double speed = 0;                     ///< seconds of data per second; 0 = as fast as it goes
  std::size_t in_flight = 512;
  std::function<void(std::int64_t done, std::int64_t all)> progress;
};

/// What one model answered. `scores` and `labels` stand for the questions that have a label.
struct AnsweredModel {
  std::string model;
  std::int64_t questions = 0;
  std::string last_prediction_id;
  std::vector<float> scores;         ///< one a question, or one of each class
  std::vector<std::uint8_t> labels;  ///< 0 or 1, or places among the classes
  std::vector<double> numbers = {};  ///< labels of a regression or a ranking
  define::ModelKind kind = define::ModelKind::binary;
  std::size_t classes = 0;  ///< of a multiclass model
};

/// What came back.
struct TrafficReport {
  std::int64_t events = 0, refused = 0;
  double seconds = 0;
  std::string first_refusal;          ///< the first answer that was not 200
  std::vector<AnsweredModel> models;  ///< in the order asked
};

/// Sends events at the moment they arrive and the models' questions at theirs, in order of time; at
/// equal times questions go first, for an event counts only after it was known. (semantics: T3)
///
/// Events sent: those known, by the definition, at or after `from`, the server's cut. With
/// `arrival` they are sent at another moment than the definition claims, never before `from`; what
/// arrives at or after `to` is not sent. The server must run with --clock data. All models ask from
/// the source of `history`. Errors: unavailable; those of the expression.
Result<TrafficReport> play(const define::Project& project,
                           const std::vector<const define::Model*>& models,
                           const SourceHistory& history, const TrafficOptions& options);

}  // namespace coeval::replay
