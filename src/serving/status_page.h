#pragma once

#include <string>
#include <string_view>

#include "serving/engine.h"

namespace coeval::serving {

/// GET /: what this server is and holds, for a person with a browser. One HTML document, no
/// scripts, no other files. `address` is where its commands send requests: "localhost:8080".
std::string status_page(const Overview& overview, std::string_view address);

/// Text for HTML: & < > " ' escaped.
std::string html_text(std::string_view text);

}  // namespace coeval::serving
