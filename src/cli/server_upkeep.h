#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "cli/context.h"

namespace coeval::cli {

/// What a server's log needs beside the serving, on a thread of its own with the lowest priority:
/// closed segments are sealed, and what retention lets go is removed. A failure is said once, and
/// tried again the next time.
class ServerUpkeep {
 public:
  explicit ServerUpkeep(Context& context);
  ~ServerUpkeep();  ///< waits for what is under way
  ServerUpkeep(const ServerUpkeep&) = delete;
  ServerUpkeep& operator=(const ServerUpkeep&) = delete;

 private:
  void work();
  bool wait();  ///< false when it is time to end

  Context& context_;
  replay::OpenFormat formats_;  // its own: the server's are another thread's
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stop_ = false;
  std::string said_;
  std::thread thread_;
};

}  // namespace coeval::cli
