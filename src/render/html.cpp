#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "render/cell_value.hpp"
#include "render/formats.hpp"
#include "render/markdown_text.hpp"

namespace kdb::render {

namespace {

/// Colours that are told apart by those who see no red or no green too (Okabe and Ito, Color universal
/// design, 2008), on light and on dark ground; the page asks for nothing from elsewhere and runs no script.
constexpr std::string_view page_style = R"(
:root { color-scheme: light dark; --ground: #fff; --text: #1c1e21; --dim: #5d636b; --line: #d9dce0; --bad: #b3261e;
  --s0: #0072b2; --s1: #d55e00; --s2: #00805d; --s3: #aa3377; --s4: #7a6000; --s5: #4b4b9f; }
@media (prefers-color-scheme: dark) { :root { --ground: #15171a; --text: #e6e8ea; --dim: #9aa1a9; --line: #353a40;
  --bad: #ff8a80; --s0: #56b4e9; --s1: #f39b5f; --s2: #4fd1a5; --s3: #e58fc0; --s4: #e2c84b; --s5: #a5a5ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 72rem; background: var(--ground); color: var(--text);
  font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.35rem; margin: .2rem 0 .6rem; } h2 { font-size: 1.1rem; margin: 1.8rem 0 .2rem; }
p { margin: .3rem 0; } .dim { color: var(--dim); } .bad { color: var(--bad); } .summary { font-weight: 600; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85rem; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .1rem 1rem; margin: .6rem 0; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem .25rem 0; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--dim); font-weight: 500; } .right { text-align: right; }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: .4rem 0; }
.key i, .dot { display: inline-block; width: .7rem; height: .7rem; border-radius: 50%; background: var(--c); }
.key i { margin-right: .4rem; vertical-align: -.05rem; }
.row { display: grid; grid-template-columns: 15rem minmax(0, 1fr); gap: 0 1rem; padding: .3rem 0;
  border-bottom: 1px solid var(--line); align-items: center; }
.label { overflow-wrap: anywhere; } .point { display: grid; grid-template-columns: minmax(0, 1fr) 9.5rem; gap: 0 .8rem;
  align-items: center; } .value { font-variant-numeric: tabular-nums; white-space: nowrap; }
.track { position: relative; height: 1.1rem; } .track span { position: absolute; }
.one { top: 0; bottom: 0; width: 1px; background: var(--dim); } .tick { top: 0; bottom: 0; width: 1px;
  background: var(--line); } .range { top: .5rem; height: .12rem; min-width: 1px; background: var(--c); }
.track .dot { top: .2rem; margin-left: -.35rem; }
.scale { position: relative; height: 1.2rem; color: var(--dim); font-size: .8rem; }
.scale span { position: absolute; transform: translateX(-50%); }
@media (max-width: 40rem) { .row { grid-template-columns: minmax(0, 1fr); }
  .point { grid-template-columns: minmax(0, 1fr) 7rem; } .value { font-size: .85rem; } }
)";

/// Text between the quotes of an attribute.
std::string quoted_html(std::string_view text) {
  std::string result;
  for (const char letter : html(text))
    result += letter == '"' ? std::string("&quot;") : std::string(1, letter);
  return result;
}

std::string cell_text(const Value& value) { return html(cell_value(value)); }

std::string fields_of(const std::vector<Field>& fields) {
  std::string text;
  for (const Field& field : fields)
    if (!field.label.empty())
      text += fmt::format("<dt>{}</dt><dd>{}</dd>\n", html(field.label), cell_text(field.value));
  return text.empty() ? text : "<dl>\n" + text + "</dl>\n";
}

std::string table_html(const Table& table) {
  std::string head;
  std::string body;
  const auto cell = [](std::string_view tag, const Column& column, const std::string& text) {
    return fmt::format("<{0}{1}>{2}</{0}>", tag, column.align_right ? " class=\"right\"" : "", text);
  };
  for (const Column& column : table.columns)
    if (!column.title.empty()) head += cell("th", column, html(column.title));
  if (head.empty() || table.rows.empty()) return {};
  for (const std::vector<Value>& row : table.rows) {
    body += "<tr>";
    for (size_t at = 0; at < table.columns.size(); ++at)
      if (!table.columns[at].title.empty()) body += cell("td", table.columns[at], cell_text(row.at(at)));
    body += "</tr>\n";
  }
  return fmt::format(
      "<div class=\"wide\"><table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody></table></div>\n", head,
      body);
}

/// Where ratios stand on a track, in percent of its width, on a logarithmic scale that always has the 1.
class Scale {
 public:
  explicit Scale(const RatioPlot& plot) {
    for (const RatioPlot::Row& row : plot.rows)
      for (const RatioPlot::Point& point : row.points)
        for (const double ratio : {point.ratio, point.low, point.high}) include(ratio);
    least_ -= 0.05 * (most_ - least_);
    most_ += 0.05 * (most_ - least_);
  }

  double at(double ratio) const {
    if (!(ratio > 0)) return 0;
    return std::clamp(100 * (std::log10(ratio) - least_) / (most_ - least_), 0.0, 100.0);
  }
  /// Those of 1, 2 and 5 times a power of ten that are few enough.
  std::vector<double> ticks() const {
    std::vector<double> ticks;
    const bool fine = most_ - least_ < 1.6;
    for (int power = static_cast<int>(std::floor(least_)); power <= static_cast<int>(std::ceil(most_));
         ++power)
      for (const double digit : {1.0, 2.0, 5.0}) {
        const double tick = digit * std::pow(10.0, power);
        if ((digit == 1.0 || fine) && std::log10(tick) > least_ && std::log10(tick) < most_)
          ticks.push_back(tick);
      }
    return ticks;
  }

 private:
  /// No further than a thousandth and ten thousand times: an interval may be of any width.
  void include(double ratio) {
    if (!(ratio > 0) || !std::isfinite(ratio)) return;
    const double place = std::clamp(std::log10(ratio), -3.0, 4.0);
    least_ = std::min(least_, place);
    most_ = std::max(most_, place);
  }

  double least_ = -0.1;
  double most_ = 0.1;
};

std::string tick_text(double ratio) { return fmt::format("{:.4g}×", ratio); }

std::string point_html(const RatioPlot::Point& point, const Scale& scale, size_t series) {
  std::string track;
  for (const double tick : scale.ticks())
    track += fmt::format("<span class=\"{}\" style=\"left:{:.2f}%\"></span>", tick == 1.0 ? "one" : "tick",
                         scale.at(tick));
  const double low = scale.at(point.low);
  track += fmt::format(
      "<span class=\"range\" style=\"left:{:.2f}%;width:{:.2f}%\"></span><span class=\"dot\" "
      "style=\"left:{:.2f}%\"></span>",
      low, scale.at(point.high) - low, scale.at(point.ratio));
  const bool worse = point.word == "worse";
  return fmt::format(
      "<div class=\"point\" style=\"--c:var(--s{})\" title=\"{}\"><div class=\"track\">{}</div>"
      "<div class=\"value{}\">{}× {}</div></div>\n",
      series % 6, quoted_html(point.series + (point.detail.empty() ? "" : ": " + point.detail)), track,
      worse ? " bad" : "",
      point.ratio >= 100 ? fmt::format("{:.0f}", point.ratio) : fmt::format("{:.3g}", point.ratio),
      html(point.word));
}

std::string plot_html(const RatioPlot& plot) {
  const Scale scale(plot);
  std::vector<std::string> series;
  const auto number_of = [&](const std::string& name) {
    const auto at = static_cast<size_t>(std::find(series.begin(), series.end(), name) - series.begin());
    if (at == series.size()) series.push_back(name);
    return at;
  };
  std::string rows;
  for (const RatioPlot::Row& row : plot.rows) {
    std::string points;
    for (const RatioPlot::Point& point : row.points)
      points += point_html(point, scale, number_of(point.series));
    rows += fmt::format("<div class=\"row\"><div class=\"label\">{}</div><div>\n{}</div></div>\n",
                        html(row.label), points);
  }
  std::string key;
  for (size_t at = 0; at < series.size(); ++at)
    key += fmt::format("<span><i style=\"--c:var(--s{})\"></i>{}</span>", at % 6, html(series[at]));
  std::string marks;
  for (const double tick : scale.ticks())
    marks += fmt::format("<span style=\"left:{:.2f}%\">{}</span>", scale.at(tick), tick_text(tick));
  return fmt::format(
      "<h2>{}</h2>\n<p class=\"dim\">{}</p>\n<div class=\"key\">{}</div>\n{}"
      "<div class=\"row\"><div class=\"label\"></div><div class=\"point\"><div "
      "class=\"scale\">{}</div></div></div>\n",
      html(plot.title), html(plot.caption), key, rows, marks);
}

/// Plans keep their indentation, and long lines are broken where the window ends.
std::string paragraphs(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines += html(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return fmt::format("<pre class=\"dim\">{}</pre>\n", lines);
}

std::string problems_html(const std::vector<Problem>& problems, std::string_view style) {
  std::string text;
  for (const Problem& problem : problems)
    text += fmt::format("<li{}>{}</li>\n", style, html(problem.message));
  return text.empty() ? text : "<ul>\n" + text + "</ul>\n";
}

}  // namespace

std::string render_html(const Report& report, const Style&) {
  std::string page = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>kdb {0}</title>\n"
      "<style>{1}</style>\n</head>\n<body>\n<h1>kdb {0}</h1>\n",
      html(report.command), page_style);
  page += fmt::format("<p class=\"summary\">{}</p>\n", html(report.summary));
  page += fields_of(report.fields);
  page += problems_html(report.warnings, "");
  page += problems_html(report.problems, " class=\"bad\"");
  for (const RatioPlot& plot : report.plots)
    if (!plot.rows.empty()) page += plot_html(plot);
  for (const Table& table : report.tables) {
    const std::string text = table_html(table);
    if (text.empty()) continue;
    page += fmt::format("<h2>{}</h2>\n{}", html(table.columns.front().title), text);
  }
  if (!report.text.empty()) page += paragraphs(report.text);
  return page + "</body>\n</html>\n";
}

}  // namespace kdb::render
