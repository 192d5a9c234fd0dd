#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "define/project.h"

namespace coeval::replay {

/// Asks a server, before anything is sent to it, whether a past can be played against it: it must
/// run on the data's own clock and serve the models. `from` is the moment that the advice names for
/// the server's cut. Errors: unavailable; usage when it runs on the machine's clock; unknown_model
/// with the server's reason.
Status check_server(const std::string& url, const std::vector<const define::Model*>& models,
                    const std::string& from);

}  // namespace coeval::replay
