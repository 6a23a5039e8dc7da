// What GNUstep's Foundation lacks, and singletons that the leak checker should not see.
#import <Foundation/Foundation.h>
#import <objc/runtime.h>

#include "warm_up.hpp"

NSString* const NSKeyedArchiveRootObjectKey = @"root";

@implementation NSProcessInfo (StandinVersion)
- (NSOperatingSystemVersion)operatingSystemVersion {
  return {12, 0, 0};
}
- (BOOL)isOperatingSystemAtLeastVersion:(NSOperatingSystemVersion)wanted {
  return wanted.majorVersion < 12 || (wanted.majorVersion == 12 && wanted.minorVersion <= 0) ? YES : NO;
}
@end

@implementation NSKeyedArchiver (StandinSecureCoding)
- (instancetype)initRequiringSecureCoding:(BOOL)requiresSecureCoding {
  (void)requiresSecureCoding;
  return [self initForWritingWithMutableData:[NSMutableData data]];
}
- (NSData*)encodedData {
  [self finishEncoding];
  void* data = nullptr;
  object_getInstanceVariable(self, "_data", &data);
  return static_cast<NSData*>(data);
}
@end

@implementation NSKeyedUnarchiver (StandinSecureCoding)
- (instancetype)initForReadingFromData:(NSData*)data error:(NSError**)error {
  @try {
    return [self initForReadingWithData:data];
  } @catch (NSException* e) {
    NSDictionary* text = @{NSLocalizedDescriptionKey : e.reason};
    if (error) *error = [NSError errorWithDomain:@"NSCocoaErrorDomain" code:4864 userInfo:text];
  }
  return nil;
}
@end

extern "C" {
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));
}

namespace standin {
void warm_up() {
  if (__lsan_disable) __lsan_disable();
  @autoreleasepool {
    NSDictionary* d = @{@"k" : [NSMutableArray arrayWithArray:@[ @"w", @(1), @(0.5) ]]};
    (void)[[NSString stringWithFormat:@"%@ %d", d, 1] UTF8String];
    @try {
      [NSException raise:@"warm" format:@"up"];
    } @catch (NSException* e) {
      (void)[e reason];
    }
    (void)[[NSError errorWithDomain:@"d" code:1 userInfo:d] localizedDescription];
  }
  if (__lsan_enable) __lsan_enable();
}
}  // namespace standin
