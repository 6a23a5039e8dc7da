#include "cpu/rank_network.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace mpskit::cpu {
namespace {

// Elements in order, of `count`: the `dropped` lowest and some of the highest are left out, as none can be the middle one.
template <class Element>
struct RankList {
  std::vector<Element> elements;
  std::int64_t count = 0, dropped = 0;
};

// One program while it is written: values are numbers, places come at the end.
class RankWriter {
 public:
  using List = RankList<int>;

  int read(std::int64_t place) {
    values_.push_back({place, false});
    return static_cast<int>(values_.size()) - 1;
  }

  // Batcher's odd-even merge, for lists of any lengths.
  std::vector<int> merge(const std::vector<int>& a, const std::vector<int>& b) {
    if (a.empty()) return b;
    if (b.empty()) return a;
    if (a.size() == 1 && b.size() == 1) {
      const auto [low, high] = exchange(a[0], b[0]);
      return {low, high};
    }
    const std::vector<int> even = merge(every_other(a, 0), every_other(b, 0)), odd = merge(every_other(a, 1), every_other(b, 1));
    std::vector<int> all{even[0]};
    std::size_t i = 0;
    for (; i < odd.size() && i + 1 < even.size(); ++i) {
      const auto [low, high] = exchange(odd[i], even[i + 1]);
      all.push_back(low);
      all.push_back(high);
    }
    if (i < odd.size()) all.push_back(odd[i]);
    else if (i + 1 < even.size()) all.push_back(even[i + 1]);
    return all;
  }
  std::vector<int> sort(const std::vector<int>& v) {
    if (v.size() < 2) return v;
    const auto middle = v.begin() + static_cast<std::ptrdiff_t>((v.size() + 1) / 2);
    return merge(sort({v.begin(), middle}), sort({middle, v.end()}));
  }

  // The element of a rank, counted in both lists, to a place.
  void select(const List& a, const List& b, std::int64_t rank, std::int64_t place) {
    const auto size_a = static_cast<std::int64_t>(a.elements.size()), size_b = static_cast<std::int64_t>(b.elements.size());
    const std::int64_t r = rank - a.dropped - b.dropped;
    Step step{{}, {}, place};
    for (std::int64_t i = std::max<std::int64_t>(0, r + 1 - size_b); i <= std::min(size_a, r + 1); ++i) {  // i of a, r + 1 - i of b
      const int from_a = i > 0 ? a.elements[static_cast<std::size_t>(i - 1)] : b.elements[static_cast<std::size_t>(r)];
      step.in.push_back(from_a);
      step.in.push_back(i <= r ? b.elements[static_cast<std::size_t>(r - i)] : from_a);
    }
    steps_.push_back(std::move(step));
  }
  void write(int value, std::int64_t place) {
    Value& v = values_[static_cast<std::size_t>(value)];
    if (v.place != nowhere) {  // it lies elsewhere
      steps_.push_back({{value, value}, {}, place});
      return;
    }
    v.place = place;
    v.is_written = true;
  }

  // Steps whose results nobody asks for fall away; the others get places: the first free one from `first` on, `apart` bytes each. Returns
  // how many of these places it takes.
  std::int64_t finish(RankProgram& to, std::int64_t first, std::int64_t apart) {
    std::vector<std::int64_t> last(values_.size(), -1);  // the step that reads it last
    for (std::size_t s = steps_.size(); s-- > 0;) {
      const Step& step = steps_[s];
      if (step.out.empty() || is_wanted(step.out[0], last) || is_wanted(step.out[1], last))
        for (const int v : step.in) {
          std::int64_t& l = last[static_cast<std::size_t>(v)];
          if (l < 0) l = static_cast<std::int64_t>(s);
        }
    }
    std::vector<std::int64_t> unused;
    std::int64_t count = 1;  // the first place takes what nobody wants
    for (std::size_t s = 0; s < steps_.size(); ++s) {
      const Step& step = steps_[s];
      if (!step.out.empty() && !is_wanted(step.out[0], last) && !is_wanted(step.out[1], last)) continue;
      std::vector<std::int32_t> in;
      for (const int v : step.in) in.push_back(static_cast<std::int32_t>(values_[static_cast<std::size_t>(v)].place));
      for (const int v : step.in) {
        std::int64_t& l = last[static_cast<std::size_t>(v)];
        if (l != static_cast<std::int64_t>(s)) continue;
        l = -2;  // once
        if (const std::int64_t place = values_[static_cast<std::size_t>(v)].place; place >= first) unused.push_back(place);
      }
      if (step.out.empty()) {
        const auto begin = static_cast<std::int32_t>(to.pairs.size());
        for (std::size_t i = 0; i < in.size(); i += 2) to.pairs.push_back({in[i], in[i + 1]});
        to.selections.push_back({static_cast<std::int64_t>(to.exchanges.size()), begin, static_cast<std::int32_t>(to.pairs.size()), static_cast<std::int32_t>(step.place)});
        continue;
      }
      std::int32_t out[2];
      for (int i = 0; i < 2; ++i) {
        std::int64_t& place = values_[static_cast<std::size_t>(step.out[static_cast<std::size_t>(i)])].place;
        if (!is_wanted(step.out[static_cast<std::size_t>(i)], last)) {
          place = first;
        } else if (place == nowhere) {
          if (unused.empty()) {
            place = first + count++ * apart;
          } else {
            place = unused.back();
            unused.pop_back();
          }
        }
        out[i] = static_cast<std::int32_t>(place);
      }
      to.exchanges.push_back({in[0], in[1], out[0], out[1]});
    }
    return count;
  }

 private:
  static constexpr std::int64_t nowhere = -1;
  struct Value {
    std::int64_t place;
    bool is_written;
  };
  struct Step {
    std::vector<int> in, out;  // an exchange; without out a selection
    std::int64_t place;
  };
  std::pair<int, int> exchange(int a, int b) {
    const int low = static_cast<int>(values_.size());
    values_.insert(values_.end(), 2, {nowhere, false});
    steps_.push_back({{a, b}, {low, low + 1}, nowhere});
    return {low, low + 1};
  }
  static std::vector<int> every_other(const std::vector<int>& v, std::size_t from) {
    std::vector<int> some;
    for (std::size_t i = from; i < v.size(); i += 2) some.push_back(v[i]);
    return some;
  }
  bool is_wanted(int value, const std::vector<std::int64_t>& last) const {
    return last[static_cast<std::size_t>(value)] != -1 || values_[static_cast<std::size_t>(value)].is_written;
  }

  std::vector<Value> values_;
  std::vector<Step> steps_;
};

struct RankPlace {
  std::int64_t row, shift;  // pixels to the right
};
using RankBlock = RankList<RankPlace>;

// All programs of a network: blocks of columns in order as they are asked for, each once.
class RankPlanner {
 public:
  explicit RankPlanner(RankNetwork& n, std::int64_t pixel_bytes, std::int64_t register_bytes)
      : n_(n), half_(n.diameter * n.diameter / 2), pixel_bytes_(pixel_bytes), rows_(n.source_rows * n.tile) {
    const std::int64_t k = n.diameter, t = n.tile;
    n.first_result = rows_;
    rows_ += t * t;
    const RankBlock core = block(t - 1, k - t + 1, t - 1, k - t + 1);
    Job job;
    halve(job, read(job, core), 0, 0, t, t);
    jobs_.push_back(std::move(job));
    std::int64_t places = 0;
    n.programs.resize(jobs_.size());
    for (std::size_t i = jobs_.size(); i-- > 0;) {
      for (const auto& [from, shift] : jobs_[i].reads) n.programs[from].more = std::max(n.programs[from].more, n.programs[i].more + shift);
      places = std::max(places, jobs_[i].writer.finish(n.programs[i], rows_ * n.pitch, register_bytes));
    }
    n.bytes = rows_ * n.pitch + places * register_bytes;
  }

 private:
  struct Job {
    RankWriter writer;
    std::vector<std::pair<std::size_t, std::int64_t>> reads;  // of whose results, and how far to the right
  };

  // Rows [y, y + height), columns [x, x + width) of the tile's source, in order.
  RankBlock block(std::int64_t y, std::int64_t height, std::int64_t x, std::int64_t width) {
    const std::int64_t phase = x % n_.tile;
    if (width == 1 && height == 1) return {{{y * n_.tile + phase, x / n_.tile}}, 1, 0};
    const auto key = std::tuple(y, height, phase, width);
    auto found = blocks_.find(key);
    if (found == blocks_.end()) found = blocks_.emplace(key, make_block(y, height, phase, width)).first;
    RankBlock b = found->second;
    for (RankPlace& p : b.elements) p.shift += x / n_.tile;
    return b;
  }
  RankBlock make_block(std::int64_t y, std::int64_t height, std::int64_t x, std::int64_t width) {
    Job job;
    RankWriter::List list;
    if (width == 1) {
      for (std::int64_t i = 0; i < height; ++i) list.elements.push_back(job.writer.read((y + i) * n_.tile * n_.pitch + x * n_.pitch));
      list.count = height;
      list.elements = job.writer.sort(list.elements);
    } else {
      const std::int64_t first = first_part(x, width);
      const RankBlock a = block(y, height, x, first), b = block(y, height, x + first, width - first);
      list = merge(job, read(job, a), read(job, b));
    }
    RankBlock made{{}, list.count, list.dropped};
    for (const int v : list.elements) {
      job.writer.write(v, rows_ * n_.pitch);
      made_by_[rows_] = jobs_.size();
      made.elements.push_back({rows_++, 0});
    }
    jobs_.push_back(std::move(job));
    return made;
  }
  // Blocks begin, as the core does, at column tile - 1 or whole tiles from there: what is left on either side is cut off piece by piece.
  std::int64_t first_part(std::int64_t x, std::int64_t width) const {
    for (std::int64_t q = 1; q < n_.tile; q *= 2) {
      if (width <= q) break;
      if ((x - (n_.tile - 1)) % (2 * q) != 0) return q;
      if (width % (2 * q) != 0) return width > q ? width - q : q;
    }
    std::int64_t p = 1;
    while (2 * p < width) p *= 2;
    return p;
  }

  RankWriter::List read(Job& job, const RankBlock& b) {
    RankWriter::List list{{}, b.count, b.dropped};
    for (const RankPlace& p : b.elements) {
      list.elements.push_back(job.writer.read(p.row * n_.pitch + p.shift * pixel_bytes_));
      if (const auto made = made_by_.find(p.row); made != made_by_.end()) job.reads.emplace_back(made->second, p.shift);
    }
    return list;
  }
  RankWriter::List merge(Job& job, const RankWriter::List& a, const RankWriter::List& b) const {
    const std::vector<int> all = job.writer.merge(a.elements, b.elements);
    RankWriter::List list{{}, a.count + b.count, a.dropped + b.dropped};
    const std::int64_t begin = std::max<std::int64_t>(0, list.count - 1 - half_ - list.dropped),
                       end = std::min<std::int64_t>(static_cast<std::int64_t>(all.size()), half_ + 1 - list.dropped);
    list.elements.assign(all.begin() + begin, all.begin() + end);
    list.dropped += begin;
    return list;
  }

  // Medians of windows [x, x + width) times [y, y + height) of the tile; `list` is what all of them have.
  void halve(Job& job, const RankWriter::List& list, std::int64_t x, std::int64_t y, std::int64_t width, std::int64_t height) {
    const std::int64_t k = n_.diameter;
    const bool is_across = width >= height;
    const std::int64_t half = (is_across ? width : height) / 2;
    for (int side = 0; side < 2; ++side) {
      const auto begin = [=](std::int64_t from) { return side == 0 ? from + half - 1 : from + k; };
      const RankBlock more = is_across ? block(y + height - 1, k - height + 1, begin(x), half) : block(begin(y), half, x + width - 1, k - width + 1);
      const RankWriter::List added = read(job, more);
      const std::int64_t new_x = x + (is_across ? side * half : 0), new_y = y + (is_across ? 0 : side * half);
      if (width * height == 2) job.writer.select(list, added, half_, (n_.first_result + new_y * n_.tile + new_x) * n_.pitch);
      else halve(job, merge(job, list, added), new_x, new_y, is_across ? half : width, is_across ? height : half);
    }
  }

  RankNetwork& n_;
  std::int64_t half_, pixel_bytes_, rows_;
  std::vector<Job> jobs_;
  std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t>, RankBlock> blocks_;
  std::map<std::int64_t, std::size_t> made_by_;  // a row, by a job
};

}  // namespace

RankNetwork::RankNetwork(std::int64_t d, std::int64_t t, const Unit& unit)
    : diameter(d), tile(t), source_rows(d + t - 1), source_pixels(unit.pixels + (d + t - 2) / t) {
  const std::int64_t line = 64, row = source_pixels * unit.pixel_bytes + unit.register_bytes;
  pitch = ((row + line - 1) / line | 1) * line;  // an odd number of lines: rows do not meet in one set of a cache
  RankPlanner(*this, unit.pixel_bytes, unit.register_bytes);
}

}  // namespace mpskit::cpu
