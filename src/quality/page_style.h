#pragma once

#include <string_view>

namespace coeval::quality {

/// What every page that we write looks like, light and dark: body of a `<style>`.
inline constexpr std::string_view kPageStyle = R"css(
:root{--text:#1d2430;--soft:#667085;--line:#e4e7ec;--page:#f7f8fa;--card:#fff;--ink:#3b6fd4;--good:#12805c;--warn:#b25e09;--bad:#c4320a}
@media(prefers-color-scheme:dark){:root{--text:#e6e9ef;--soft:#98a2b3;--line:#333b49;--page:#14181f;--card:#1d232d;--ink:#7aa5ff;--good:#4cc38a;--warn:#f0a04b;--bad:#ff8266}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;color:var(--text);background:var(--page);margin:0}
main{max-width:72rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.6rem;margin:0 .75rem 0 0;display:inline-block}
h2{font-size:1.1rem;margin:2.25rem 0 .75rem}
.soft{color:var(--soft)}
.badge{display:inline-block;border-radius:1rem;padding:.1rem .7rem;font-weight:600;font-size:.85rem;color:#fff;white-space:nowrap}
.passed{background:var(--good)}.warned{background:var(--warn)}.failed,.unknown{background:var(--bad)}
.tiles{display:flex;flex-wrap:wrap;gap:.75rem;margin-top:1.25rem}
.tile{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.7rem 1rem;min-width:9rem}
.tile b{display:block;font-size:1.4rem;font-variant-numeric:tabular-nums}
.card{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:1rem;overflow-x:auto}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(19rem,1fr));gap:.75rem}
.cards h3{margin:0 0 .4rem;font-size:1rem;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.4rem .9rem .4rem 0;border-top:1px solid var(--line)}
thead th{border-top:0;color:var(--soft);font-weight:500;font-size:.85rem}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}
dl{display:grid;grid-template-columns:auto 1fr;gap:.1rem .9rem;margin:.5rem 0 0;font-size:.87rem}
dt{color:var(--soft)}dd{margin:0;text-align:right;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
code{font:13px/1.45 ui-monospace,SFMono-Regular,Menlo,monospace;overflow-wrap:break-word}
details{margin:.3rem 0}summary{cursor:pointer;color:var(--ink)}
svg{display:block;width:100%;height:auto}
svg rect{fill:var(--ink)}svg text{fill:var(--soft);font-size:11px}
)css";

}  // namespace coeval::quality
