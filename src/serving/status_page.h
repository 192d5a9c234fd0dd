#pragma once

#include <string>

#include "serving/engine.h"

namespace coeval::serving {

/// GET /: what this server is and holds, for a person with a browser. One HTML document, no
/// scripts, no other files.
std::string status_page(const Overview& overview);

/// Text for HTML: & < > " ' escaped.
std::string html_text(std::string_view text);

}  // namespace coeval::serving
