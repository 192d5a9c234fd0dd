#pragma once

#include <string>

#include "base/error.h"
#include "cli/terminal.h"
#include "data/json.h"

namespace coeval::cli {

/// Collects findings; one bad one makes the verdict.
class Findings {
 public:
  explicit Findings(Terminal& terminal) : terminal_(terminal) {}

  void add(const std::string& subject, bool sound, const std::string& what) {
    sound_ = sound_ && sound;
    data::Json one{data::Json::Object{}};
    one.set("subject", subject);
    one.set("sound", sound);
    one.set("finding", what);
    list_.push(std::move(one));
    if (!terminal_.json())
      terminal_.print(std::string(sound ? "ok   " : "BAD  ") + subject + ": " + what);
  }
  int finish() {
    if (terminal_.json()) terminal_.print_json(list_);
    return sound_ ? 0 : info(Code::check_failed).exit_code;
  }

 private:
  Terminal& terminal_;
  bool sound_ = true;
  data::Json list_{data::Json::Array{}};
};

}  // namespace coeval::cli
