#include "cpu/gemm/gemm.hpp"

#include "cpu/cnn/depthwise.inl"
#include "cpu/cnn/padded_rows.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

// Rows of A: the windows of the results, in the order of the weights. What lies beyond the border is read from zeros, or is the
// nearest pixel.
struct Windows {
  const View& src;
  const cnn::Part& part;
  const WindowAxes& axes;
  bool clamps;
  const std::byte* zeros;        // as many as a row of a window has
  std::int64_t image;            // of the first row of A
  std::int64_t channel, channels;  // of the group

  void operator()(std::int64_t m, std::int64_t rows, std::int64_t k, std::int64_t length, float* dst, std::int64_t stride) const {
    const std::int64_t height = axes.y.taps.count, width = axes.x.taps.count, taps = height * width;
    constexpr std::int64_t few = 128;
    const void* on_stack[few];
    const Scratch block(taps > few ? static_cast<std::size_t>(taps) * sizeof(void*) : 0);
    const void** p = taps > few ? block.as<const void*>() : on_stack;
    const std::int64_t pixel = src.layout.stride[2];
    // A row of a window is one piece of memory, where it does not cross the border.
    const bool in_one_piece = channels == src.layout.channels() && axes.x.taps.dilation == 1;
    const WindowAxis::Results whole = axes.x.whole(part.width);
    std::int64_t x = m % part.width, y = m / part.width % part.height, n = image + m / part.width / part.height;
    for (std::int64_t i = 0; i < rows; ++i) {
      const bool is_whole = in_one_piece && x >= whole.begin && x < whole.end;
      for (std::int64_t a = 0; a < height; ++a) {
        const std::byte* row = row_of(n, axes.y.at(y, a));
        if (is_whole) {
          p[a] = row ? row + axes.x.at(x, 0) * pixel : zeros;
          continue;
        }
        for (std::int64_t b = 0; b < width; ++b) {
          const std::int64_t column = axes.x.at(x, b);
          p[a * width + b] = row && (clamps || axes.x.is_inside(column)) ? row + axes.x.clamped(column) * pixel : zeros;
        }
      }
      copy_runs(p, src.layout.dtype, is_whole ? width * channels : channels, k, length, dst + i * stride);
      if (++x == part.width) {
        x = 0;
        if (++y == part.height) y = 0, ++n;
      }
    }
  }

 private:
  const std::byte* row_of(std::int64_t n, std::int64_t i) const {  // null where zeros are
    if (!axes.y.is_inside(i) && !clamps) return nullptr;
    return src.row<const std::byte>(n, axes.y.clamped(i)) + channel * src.layout.element_bytes();
  }
};

struct ApplyNeuron {
  const cnn::Neuron& neuron;
  std::int64_t channel;  // of the first column
  void operator()(const GemmTile& t) const {
    for (std::int64_t i = 0; i < t.rows; ++i) apply_neuron(neuron, t.values + i * t.stride, t.columns, channel + t.first_column);
  }
};

// The weights with the batch normalization folded in, as float32.
struct Folded {
  std::vector<float> weights, bias;
  Folded(const cnn::WeightsView& view, const cnn::ConvolutionDescriptor& d, std::span<const float> own_bias) : weights(cnn::dequantized(view, d)) {
    const std::span<const float> given = own_bias.empty() ? view.bias : own_bias;
    bias.assign(static_cast<std::size_t>(d.output_feature_channels), 0);
    std::copy(given.begin(), given.end(), bias.begin());
    if (!d.batch_normalization) return;
    const auto affine = d.batch_normalization->affine();
    const std::size_t each = weights.size() / bias.size();
    for (std::size_t o = 0; o < bias.size(); ++o) {
      for (std::size_t i = o * each; i < (o + 1) * each; ++i) weights[i] = static_cast<float>(affine.scale[o] * weights[i]);
      bias[o] = static_cast<float>(affine.scale[o] * bias[o] + affine.shift[o]);
    }
  }
};

class ConvolutionPlan final : public CpuPlan {
 public:
  ConvolutionPlan(const cnn::Convolution& k, const Call& call)
      : d_(k.descriptor()), neuron_(d_.neuron.value_or(cnn::NeuronDescriptor{}).resolved()), clamp_(as_clamp(neuron_)),
        part_(cnn::part_of(k.info.name, k, call.inputs[0], call.outputs[0], d_.output_feature_channels)),
        axes_(window_axes(k, call.inputs[0], k.taps_y(d_), k.taps_x(d_))), clamps_(k.edge_mode == EdgeMode::clamp) {
    with_weights(*k.weights.source, [&](const cnn::WeightsView& view) {
      Folded folded(view, d_, k.bias ? k.bias->floats() : std::span<const float>{});
      if (d_.is_depthwise()) {
        depthwise_ = std::make_unique<Depthwise>(part_, axes_, clamps_, by_tap(folded.weights, unit_of(call.inputs[0].dtype)), std::move(folded.bias), neuron_);
        return;
      }
      plan_bands(call.inputs[0]);
      if (bands_)
        for (float& w : folded.weights) w /= unit_of(call.inputs[0].dtype);  // codes are multiplied as they are
      const std::int64_t n = d_.outputs_per_group(), terms = d_.kernel_height * d_.kernel_width * d_.inputs_per_group();
      for (std::int64_t g = 0; g < d_.groups; ++g)
        packed_.push_back(pack_b({folded.weights.data() + g * n * terms, DType::f32, terms * 4, true}, terms, n));
      bias_ = std::move(folded.bias);
    });
    zeros_.resize(static_cast<std::size_t>(d_.kernel_width * d_.inputs_per_group()) * sizeof(float));
  }

  void run(std::span<const View> v) const override {
    const View &src = v[0], &dst = v[1];
    if (depthwise_) return depthwise_->run(src, dst);
    if (bands_) return run_bands(src, dst);
    // All images at once where their rows follow each other in one step.
    const std::int64_t rows_bytes = part_.height * dst.layout.row_bytes();
    const bool at_once = part_.images == 1 || dst.layout.image_bytes() == rows_bytes;
    const std::int64_t images = at_once ? part_.images : 1;
    for (std::int64_t n = 0; n < part_.images; n += images) {
      const double work = 2.0 * static_cast<double>(images * part_.height * part_.width) * static_cast<double>(d_.weight_count());
      const auto group = [&](std::int64_t g) { multiply(src, dst, n, images, g); };
      if (d_.groups >= num_threads() && work < 4e6 * static_cast<double>(d_.groups)) parallel(d_.groups, group);  // each is too little for all threads
      else for (std::int64_t g = 0; g < d_.groups; ++g) group(g);
    }
  }

 private:
  // [output][tap] to [tap][output]; codes of unorm pixels are multiplied as they are.
  static std::vector<float> by_tap(const std::vector<float>& w, float divisor, std::size_t channels) {
    const std::size_t taps = w.size() / channels;
    std::vector<float> out(w.size());
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t t = 0; t < taps; ++t) out[t * channels + c] = w[c * taps + t] / divisor;
    return out;
  }
  std::vector<float> by_tap(const std::vector<float>& w, float divisor) const { return by_tap(w, divisor, static_cast<std::size_t>(d_.output_feature_channels)); }

  // Rows of results in bands, each from rows of pixels that lie padded in scratch memory: windows are read where they lie.
  struct Bands {
    PaddedRows padded;
    bool in_place;                         // no window crosses the border: the image itself will do
    std::int64_t pixel_bytes, row_bytes;   // of the padded rows, or of the image
    std::int64_t height;                   // rows of results in a band
    std::vector<std::int64_t> pieces;      // of a window, in bytes from its corner
    std::int64_t length;                   // elements of a piece
  };

  void plan_bands(const Layout& src) {
    constexpr std::int64_t least_width = MPSKIT_VECTOR_BYTES == 64 ? 12 : 8;  // rows of results must be long enough for tiles
    const bool is_pixelwise = d_.kernel_height * d_.kernel_width == 1 && d_.stride_in_pixels_x == 1;
    if (is_pixelwise || part_.width < least_width) return;
    const std::int64_t channels = part_.source_channels, group = d_.inputs_per_group();
    const auto conflicts = [](std::int64_t bytes) { return bytes % 1024 == 0; };  // pixels that share few sets of the caches
    Bands b{};
    const WindowAxis::Results y = axes_.y.whole(part_.height), x = axes_.x.whole(part_.width);
    b.in_place = src.dtype == DType::f32 && y.begin == 0 && y.end == part_.height && x.begin == 0 && x.end == part_.width &&
                 !conflicts(src.stride[2] * axes_.x.taps.stride);
    const std::int64_t pixel = channels + (conflicts(channels * 4 * axes_.x.taps.stride) ? 16 : 0);
    b.padded = {axes_.x.first, (part_.width - 1) * axes_.x.taps.stride + axes_.x.taps.extent(), part_.source_channel, channels, pixel, clamps_};
    b.pixel_bytes = b.in_place ? src.stride[2] : pixel * 4;
    b.row_bytes = b.in_place ? src.row_bytes() : b.padded.row_elements() * 4;
    // Taps beside each other are one piece, unless it gets too long for a panel of the weights in L1.
    constexpr std::int64_t longest = 384;
    std::int64_t taps = b.pixel_bytes == group * 4 && axes_.x.taps.dilation == 1 ? axes_.x.taps.count : 1;
    while (taps > 1 && (taps * group > longest || axes_.x.taps.count % taps != 0)) --taps;
    b.length = taps * group;
    while (b.length > longest && b.length % 2 == 0) b.length /= 2;
    for (std::int64_t i = 0; i < axes_.y.taps.count; ++i)
      for (std::int64_t j = 0; j < axes_.x.taps.count; j += taps)
        for (std::int64_t c = 0; c < taps * group; c += b.length)
          b.pieces.push_back(i * axes_.y.taps.dilation * b.row_bytes + j * axes_.x.taps.dilation * b.pixel_bytes + c * 4);
    // Enough results to be worth streaming the weights, few enough for their pixels to stay in L2.
    constexpr std::int64_t most_bytes = 192 << 10, least_results = 64;
    const std::int64_t rows_that_fit = most_bytes / b.row_bytes, stride = axes_.y.taps.stride;
    b.height = std::max((rows_that_fit - axes_.y.taps.extent()) / stride + 1, (least_results + part_.width - 1) / part_.width);
    b.height = std::clamp<std::int64_t>(b.height, 1, part_.height);
    bands_ = std::move(b);
  }

  void run_bands(const View& src, const View& dst) const {
    const Bands& b = *bands_;
    const std::int64_t outputs = d_.outputs_per_group(), panels = (outputs + panel_columns - 1) / panel_columns, units = d_.groups * panels;
    // Some four tasks for each thread, but each worth waking one: 2 million operations.
    const double work = 2.0 * static_cast<double>(part_.images * part_.height * part_.width) * static_cast<double>(d_.weight_count());
    const auto wanted = static_cast<std::int64_t>(std::min(4.0 * num_threads(), work / 2e6)) * (num_threads() > 1);
    const std::int64_t most = std::max<std::int64_t>(1, (64 + part_.width - 1) / part_.width);
    const std::int64_t height = std::clamp<std::int64_t>(part_.images * part_.height / std::max<std::int64_t>(wanted, 1), std::min(most, b.height), b.height);
    const std::int64_t bands = (part_.height + height - 1) / height, tasks = part_.images * bands;
    const std::int64_t across = std::clamp<std::int64_t>((wanted + tasks - 1) / tasks, 1, units);
    parallel(tasks * across, [&](std::int64_t task) {
      const std::int64_t image = task / across / bands, band = task / across % bands, share = task % across;
      const std::int64_t y = band * part_.height / bands, rows = (band + 1) * part_.height / bands - y;
      const std::int64_t first = axes_.y.at(y, 0), needed = (rows - 1) * axes_.y.taps.stride + axes_.y.taps.extent();
      const Scratch scratch(b.in_place ? 0 : static_cast<std::size_t>(needed * b.row_bytes));
      const std::byte* corner = scratch.as<const std::byte>();
      if (b.in_place) corner = src.row<const std::byte>(part_.source_image + image, first) + axes_.x.first * b.pixel_bytes + part_.source_channel * 4;
      else b.padded.write(src, part_.source_image + image, first, needed, scratch.as<float>());
      for (std::int64_t unit = share * units / across; unit < (share + 1) * units / across;) {
        const std::int64_t group = unit / panels, end = std::min((group + 1) * panels, (share + 1) * units / across);
        const std::int64_t column = unit % panels * panel_columns, last = std::min(outputs, (end - group * panels) * panel_columns);
        const GemmWindows windows{reinterpret_cast<const float*>(corner + group * d_.inputs_per_group() * 4), part_.width, axes_.y.taps.stride * b.row_bytes,
                                  axes_.x.taps.stride * b.pixel_bytes, b.pieces, b.length};
        Gemm g = product(dst, image, y, rows, group);
        const ApplyNeuron finish{neuron_, group * outputs};
        if (!clamp_) g.finish = finish_with(finish);
        g.a.windows = &windows;
        gemm_part(g, 0, g.m, column, last - column);
        unit = end;
      }
    });
  }

  // Without A and finish: rows [y, y + rows) of results of an image and those behind it.
  Gemm product(const View& dst, std::int64_t image, std::int64_t y, std::int64_t rows, std::int64_t group) const {
    const std::int64_t outputs = d_.outputs_per_group(), pixel = dst.layout.stride[2];
    Gemm g;
    g.m = rows * part_.width;
    g.all_rows = part_.images * part_.height * part_.width;
    g.n = outputs;
    g.k = d_.kernel_height * d_.kernel_width * d_.inputs_per_group();
    g.packed_b = &packed_[static_cast<std::size_t>(group)];
    g.bias = bias_.data() + group * outputs;
    if (clamp_) {
      g.low = clamp_->low;
      g.high = clamp_->high;
    }
    g.c.data = dst.row<std::byte>(part_.destination_image + image, part_.y + y) + part_.x * pixel + (part_.destination_channel + group * outputs) * dst.layout.element_bytes();
    g.c.dtype = dst.layout.dtype;
    g.c.row_bytes = pixel;
    if (dst.layout.row_bytes() != part_.width * pixel) {
      g.c.rows_per_group = part_.width;
      g.c.group_bytes = dst.layout.row_bytes();
    }
    return g;
  }

  void multiply(const View& src, const View& dst, std::int64_t first, std::int64_t images, std::int64_t group) const {
    const std::int64_t channels = d_.inputs_per_group(), outputs = d_.outputs_per_group();
    const Windows windows{src, part_, axes_, clamps_, zeros_.data(), part_.source_image + first, part_.source_channel + group * channels, channels};
    const ApplyNeuron finish{neuron_, group * outputs};
    Gemm g = product(dst, first, 0, images * part_.height, group);
    if (pixels_are_rows(src, images)) {
      g.a.matrix = {src.row<std::byte>(windows.image, axes_.y.first) + windows.channel * src.layout.element_bytes(), src.layout.dtype, src.layout.stride[2], false};
    } else {
      g.a = rows_from(windows);
    }
    if (!clamp_) g.finish = finish_with(finish);
    gemm(g);
  }

  // A filter of one pixel over all of them: A lies there.
  bool pixels_are_rows(const View& src, std::int64_t images) const {
    const Layout& l = src.layout;
    if (l.dtype != DType::f32 && l.dtype != DType::f16) return false;
    const auto steps_by_one = [](const WindowAxis& a) { return a.taps.count == 1 && a.taps.stride == 1; };
    if (!steps_by_one(axes_.y) || !steps_by_one(axes_.x) || axes_.x.first != 0 || axes_.y.first < 0) return false;
    if (part_.width != l.width() || axes_.y.first + part_.height > l.height() || l.row_bytes() != l.width() * l.stride[2]) return false;
    return images == 1 || l.image_bytes() == part_.height * l.row_bytes();
  }

  cnn::ConvolutionDescriptor d_;
  cnn::Neuron neuron_;  // of d_
  std::optional<Clamp> clamp_;
  cnn::Part part_;
  WindowAxes axes_;
  bool clamps_;
  std::vector<PackedB> packed_;  // one a group
  std::vector<float> bias_;
  std::vector<std::byte> zeros_;
  std::unique_ptr<Depthwise> depthwise_;
  std::optional<Bands> bands_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(cnn::Convolution, ConvolutionPlan)
