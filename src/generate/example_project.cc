#include "generate/example_project.h"

#include <array>
#include <utility>

#include "base/time.h"
#include "generate/generator.h"

namespace coeval::generate {

namespace {

// $NAME stands for what is filled in.
constexpr std::string_view kFraud = R"toml(# Card fraud. Made by: $COMMAND
# true_fraud, true_probability and scenario are in the file too, and not declared: nobody knows them.

[project]
name = "fraud"

# Payments, usable as soon as they have arrived. Whether one was fraud is known later.
[source.payments]
path  = "$PATH"
time  = "ts"
known = "arrived_at"
$DEDUP[source.payments.columns]
ts             = { type = "timestamp", known = "ts" }
arrived_at     = { type = "timestamp" }
transaction    = { type = "int64", min = 0 }
card           = { type = "int32", known = "ts", min = 0 }
terminal       = { type = "int32", known = "ts", min = 0 }
amount         = { type = "float64", known = "ts", min = 0 }
$MODEfraud          = { type = "bool", known = "label_known_at", environments = ["train"] }
label_known_at = { type = "timestamp", known = "label_known_at", environments = ["train"] }
[source.payments.checks]
arrival  = { row = "arrived_at >= ts" }
settling = { row = "label_known_at >= arrived_at" }
amounts  = { mean = "amount", min = 20, max = 200 }
late     = { late_share = "1d", max = 0.2 }

# The same rows a second time, as news of what payments turned out to be.
[source.outcomes]
path  = "$PATH"
time  = "ts"
known = "label_known_at"
$DEDUP[source.outcomes.columns]
ts             = { type = "timestamp" }
transaction    = { type = "int64", min = 0 }
terminal       = { type = "int32", min = 0 }
fraud          = { type = "bool" }
label_known_at = { type = "timestamp" }

[view.card]
from    = "payments"
by      = ["card"]
windows = ["1d", "7d", "30d"]
events  = "count()"
amount  = "mean(amount)"

[view.terminal]
from    = "payments"
by      = ["terminal"]
windows = ["1d", "7d", "30d"]
events  = "count()"
amount  = "mean(amount)"

# The share of fraud of a terminal, of payments old enough to have been settled.
[view.risk]
from    = "outcomes"
by      = ["terminal"]
windows = ["1d offset $DELAY", "7d offset $DELAY", "30d offset $DELAY"]
events  = "count()"
fraud   = "mean(fraud)"

[features]
amount_ratio   = "amount / card.amount_30d"
is_night       = "hour(at) <= 6"
during_weekend = "is_weekend(at)"

[model.fraud]
question = { from = "payments", at = "ts" }
label    = "fraud"
inputs   = ["amount", "card.*", "terminal.*", "risk.*", "amount_ratio", "is_night", "during_weekend"]
trainer  = "xgboost"
params   = { eta = 0.1, max_depth = 4, rounds = 100 }
split    = { train_until = $TRAIN, validate_until = $VALIDATE, test_until = $TEST }
gate     = { auc = ">= 0.7", calibration_error = "<= 0.05" }
)toml";

constexpr std::string_view kClicks = R"toml(# Clicks on ranked lists. Made by: $COMMAND
# grade, examination, attraction and true_probability are in the file too, and not declared: nobody knows them.

[project]
name = "clicks"

[source.shown]
path  = "$PATH"
time  = "ts"
known = "ts + minutes(30)"          # a click after that is not counted
[source.shown.columns]
ts       = { type = "timestamp", known = "ts" }
session  = { type = "int64", known = "ts", min = 0 }
query    = { type = "int32", known = "ts", min = 0 }
document = { type = "int32", known = "ts", min = 0 }
position = { type = "int32", known = "ts", min = 1 }
f0       = { type = "float32", known = "ts", min = 0, max = 1 }
f1       = { type = "float32", known = "ts", min = 0, max = 1 }
f2       = { type = "float32", known = "ts", min = 0, max = 1 }
f3       = { type = "float32", known = "ts", min = 0, max = 1 }
f4       = { type = "float32", known = "ts", min = 0, max = 1 }
f5       = { type = "float32", known = "ts", min = 0, max = 1 }
f6       = { type = "float32", known = "ts", min = 0, max = 1 }
f7       = { type = "float32", known = "ts", min = 0, max = 1 }
clicked  = { type = "bool" }
[source.shown.checks]
once = { unique = ["session", "position"] }

[view.document]
from    = "shown"
by      = ["document"]
windows = ["1d", "7d"]
shown   = "count()"
clicked = "mean(clicked)"

[features]
shown_before = "document.shown_7d"

[model.click]
question = { from = "shown", at = "ts" }
label    = "clicked"
inputs   = ["position", "f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "document.clicked_7d", "shown_before"]
trainer  = "xgboost"
params   = { eta = 0.1, max_depth = 5, rounds = 100 }
split    = { train_until = $TRAIN, validate_until = $VALIDATE, test_until = $TEST }
gate     = { auc = ">= 0.6", calibration_error = "<= 0.05" }
)toml";

constexpr std::string_view kRecsys = R"toml(# Items shown to users. Made by: $COMMAND
# true_probability is in the file too, and not declared: nobody knows it.

[project]
name = "recsys"

[source.shown]
path  = "$PATH"
time  = "ts"
known = "ts + minutes(30)"
[source.shown.columns]
ts       = { type = "timestamp", known = "ts" }
user     = { type = "int32", known = "ts", min = 0 }
item     = { type = "int32", known = "ts", min = 0 }
segment  = { type = "string", known = "ts", enum = ["north", "east", "south", "west"] }
category = { type = "string", known = "ts", enum = ["books", "film", "food", "games", "home", "music", "sport", "travel"] }
liked    = { type = "bool" }
[source.shown.checks]
some = { rows = "", min = 1 }

[view.user]
from    = "shown"
by      = ["user"]
windows = ["7d", "all"]
shown   = "count()"
liked   = "mean(liked)"

[view.item]
from    = "shown"
by      = ["item"]
windows = ["7d", "all"]
shown   = "count()"
liked   = "mean(liked)"

[view.taste]
from    = "shown"
by      = ["user", "category"]
windows = ["all"]
shown   = "count()"
liked   = "mean(liked)"

[features]
above_usual = "taste.liked_all - user.liked_all"

[model.liking]
question = { from = "shown", at = "ts" }
label    = "liked"
inputs   = ["segment", "category", "user.*", "item.*", "taste.*", "above_usual"]
trainer  = "xgboost"
params   = { eta = 0.1, max_depth = 5, rounds = 100 }
split    = { train_until = $TRAIN, validate_until = $VALIDATE, test_until = $TEST }
gate     = { auc = ">= 0.6", calibration_error = "<= 0.05" }
)toml";

constexpr std::string_view kChurn = R"toml(# Subscriptions that end. Made by: $COMMAND
# true_probability is in the file too, and not declared: nobody knows it.

[project]
name = "churn"

# A row at the end of each month of 30 days; whether the customer leaves within the next is known at its end.
[source.months]
path  = "$PATH"
time  = "ts"
known = "event time"
[source.months.columns]
ts           = { type = "timestamp", known = "ts" }
customer     = { type = "int64", known = "ts", min = 0 }
signed_up_at = { type = "timestamp", known = "ts" }
months       = { type = "int32", known = "ts", min = 1 }
plan         = { type = "string", known = "ts", enum = ["basic", "plus", "pro"] }
contract     = { type = "string", known = "ts", enum = ["monthly", "yearly"] }
usage        = { type = "int32", known = "ts", min = 0 }
tickets      = { type = "int32", known = "ts", min = 0 }
revenue      = { type = "float64", known = "ts", min = 0 }
churned      = { type = "bool", known = "ts + days(30)", nullable = true, environments = ["train"] }
[source.months.checks]
once = { unique = ["customer", "months"] }

[view.customer]
from    = "months"
by      = ["customer"]
windows = ["95d", "all"]
usage   = "mean(usage)"
tickets = "sum(tickets)"
revenue = "sum(revenue)"

[features]
usage_trend = "usage / customer.usage_95d"

[model.churn]
question = { from = "months", at = "ts" }
label    = "churned"
inputs   = ["months", "plan", "contract", "usage", "tickets", "revenue", "customer.*", "usage_trend"]
trainer  = "xgboost"
params   = { eta = 0.1, max_depth = 4, rounds = 100 }
split    = { train_until = $TRAIN, validate_until = $VALIDATE, test_until = $TEST }
gate     = { auc = ">= 0.6", calibration_error = "<= 0.05" }
)toml";

constexpr std::string_view kSeries = R"toml(# Daily series. Made by: $COMMAND
# true_mean and true_deviation are in the file too, and not declared: nobody knows them.

[project]
name = "series"

# The plan of a day is known before it, its value when it is over.
[source.points]
path  = "$PATH"
time  = "ts"
known = "ts + days(1)"
[source.points.columns]
ts         = { type = "timestamp", known = "ts" }
series     = { type = "int32", known = "ts", min = 0 }
region     = { type = "string", known = "ts", enum = ["east", "north", "south", "west"] }
plan       = { type = "float64", known = "ts" }
value      = { type = "float64" }
above_plan = { type = "bool" }
[source.points.checks]
once = { unique = ["series", "ts"] }

[view.past]
from    = "points"
by      = ["series"]
windows = ["8d", "28d"]
above   = "mean(above_plan)"
last    = "last(value / plan)"
mean    = "mean(value / plan)"
spread  = "std(value / plan)"
same    = "mean(value / plan) where weekday(ts) = 0"

[features]
week_day = "weekday(at)"
year_day = "day_of_year(at)"

[model.above]
question = { from = "points", at = "ts" }
label    = "above_plan"
inputs   = ["region", "plan", "past.*", "week_day", "year_day"]
trainer  = "xgboost"
params   = { eta = 0.1, max_depth = 5, rounds = 100 }
split    = { train_until = $TRAIN, validate_until = $VALIDATE, test_until = $TEST }
gate     = { auc = ">= 0.55", calibration_error = "<= 0.1" }
)toml";

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kTemplates = {
    {{"fraud", kFraud},
     {"clicks", kClicks},
     {"recsys", kRecsys},
     {"churn", kChurn},
     {"series", kSeries}}};

void fill(std::string& text, std::string_view mark, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += by.size())
    text.replace(at, mark.size(), by);
}

// The moment when so many hundredths of the days are over, to the second.
std::string moment(const ExampleProject& project, std::int64_t hundredths) {
  const std::int64_t seconds = project.days * (kDayUs / kSecondUs) * hundredths / 100;
  return format_time(kStartUs + seconds * kSecondUs);
}

// A text within double quotes of TOML.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string example_definition(std::string_view kind, const ExampleProject& project) {
  std::string text;
  for (const auto& [name, definition] : kTemplates)
    if (name == kind) text = definition;
  const auto delay_seconds = static_cast<std::int64_t>(project.label_delay_days * 86'400);
  fill(text, "$DELAY", delay_seconds > 0 ? format_duration(delay_seconds * kSecondUs) : "1s");
  fill(text, "$DEDUP", project.has_copies ? "id    = \"transaction\"\ndedup = \"1d\"\n" : "");
  fill(text, "$MODE",
       project.has_entry_mode ? "entry_mode     = { type = \"string\", known = \"ts\", nullable = "
                                "true, enum = [\"chip\", \"online\", \"swipe\"] }\n"
                              : "");
  fill(text, "$TRAIN", moment(project, 60));
  fill(text, "$VALIDATE", moment(project, 80));
  fill(text, "$TEST", moment(project, 100));
  fill(text, "$PATH", escaped(project.path));
  fill(text, "$COMMAND", project.command);
  return text;
}

}  // namespace coeval::generate
