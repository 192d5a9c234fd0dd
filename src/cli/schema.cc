#include "cli/commands.h"
#include "define/json_schema.h"

namespace coeval::cli {

int schema(Context& context) {
  context.terminal.print_json(define::json_schema());
  return 0;
}

}  // namespace coeval::cli
