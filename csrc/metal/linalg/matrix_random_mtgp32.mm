#include "kernels/linalg/matrix_random_mtgp32.hpp"

#include "metal/linalg/window.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const linalg::MatrixRandomMTGP32& k, const Call& call, const Context&)
      : kernel_(k), mapping_(k.distribution.mapping()), matrices_(k.matrices(k.info.name, call.outputs[0])) {}

  // The generator's state moves on with every encode, so each begins with a new one. It fills a row of its own, as nobody states what it does
  // with padding; reports say that it works in groups of four words.
  void encode(Encoder& e, std::span<const Operand> o) override {
    const Layout& out = o[0].layout;
    const std::int64_t count = matrices_.count * out.rows() * out.columns();
    if (count == 0) return;
    const bool is_raw = mapping_.type == linalg::RandomDistribution::raw;
    auto generator = made(adopt([[MPSMatrixRandomMTGP32 alloc] initWithDevice:e.context().device()
                                                         destinationDataType:is_raw ? MPSDataTypeUInt32 : MPSDataTypeFloat32
                                                                        seed:static_cast<NSUInteger>(kernel_.seed)
                                                      distributionDescriptor:describe()]),
                          e.context(), kernel_);
    constexpr std::int64_t most = std::int64_t{1} << 22;  // words that are skipped at once
    for (std::int64_t left = kernel_.offset / most; left > 0; --left) {
      const Rows skipped = Rows::scratch(e, 1, 1, most);
      [generator.get() encodeToCommandBuffer:e.commands() destinationMatrix:matrix(e, skipped, is_raw)];
    }
    const std::int64_t skip = kernel_.offset % most;
    const Rows numbers = Rows::scratch(e, 1, 1, (skip + count + 3) / 4 * 4);
    [generator.get() encodeToCommandBuffer:e.commands() destinationMatrix:matrix(e, numbers, is_raw)];
    for (std::int64_t i = 0; i < matrices_.count; ++i) {
      Rows from = numbers.from_column(skip + i * out.rows() * out.columns(), out.columns()), to = Rows::of(e, o[0]).matrix(matrices_.first + i);
      from.rows = out.rows();
      from.row_bytes = out.columns() * 4;
      copy_words(e, from, to);
    }
  }

 private:
  MPSMatrixRandomDistributionDescriptor* describe() const {
    const linalg::MatrixRandomDistributionDescriptor& d = kernel_.distribution;
    switch (mapping_.type) {
      case linalg::RandomDistribution::raw: return [MPSMatrixRandomDistributionDescriptor defaultDistributionDescriptor];
      case linalg::RandomDistribution::uniform:
        return [MPSMatrixRandomDistributionDescriptor uniformDistributionDescriptorWithMinimum:mapping_.minimum maximum:mapping_.minimum + mapping_.range];
      default: break;
    }
    if (!d.minimum && !d.maximum) return [MPSMatrixRandomDistributionDescriptor normalDistributionDescriptorWithMean:mapping_.mean standardDeviation:mapping_.deviation];
    return [MPSMatrixRandomDistributionDescriptor normalDistributionDescriptorWithMean:mapping_.mean
                                                                     standardDeviation:mapping_.deviation
                                                                               minimum:mapping_.least
                                                                               maximum:mapping_.most];
  }
  static MPSMatrix* matrix(Encoder& e, const Rows& r, bool is_raw) {
    MPSMatrixDescriptor* d = [MPSMatrixDescriptor matrixDescriptorWithRows:1
                                                                   columns:count_of(r.columns)
                                                                  rowBytes:count_of(r.row_bytes)
                                                                  dataType:is_raw ? MPSDataTypeUInt32 : MPSDataTypeFloat32];
    return e.keep(adopt([[MPSMatrix alloc] initWithBuffer:r.buffer offset:r.offset descriptor:d]));
  }
  static void copy_words(Encoder& e, const Rows& from, const Rows& to) {
    WordsArguments a{};
    a.src_offset = from.offset;
    a.src_row_bytes = static_cast<unsigned long>(from.row_bytes);
    a.dst_offset = to.offset;
    a.dst_row_bytes = static_cast<unsigned long>(to.row_bytes);
    a.rows = static_cast<unsigned int>(to.rows);
    a.columns = static_cast<unsigned int>(to.columns);
    Encoder::Pass(e, "copy_words").add({from.buffer, to.buffer}, {}, a, MTLSizeMake(a.columns, a.rows, 1));
  }

  linalg::MatrixRandomMTGP32 kernel_;
  linalg::RandomMapping mapping_;
  linalg::Batch matrices_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(linalg::MatrixRandomMTGP32, Plan)
