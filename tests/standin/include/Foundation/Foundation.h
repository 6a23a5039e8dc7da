// Overlay: GNUstep's Foundation plus what the core needs and this Foundation lacks.
#pragma once
#include_next <Foundation/Foundation.h>

// @YES and @NO parse only where YES and NO are the compiler's own literals.
#undef YES
#undef NO
#define YES __objc_yes
#define NO __objc_no

#ifndef API_AVAILABLE
#define API_AVAILABLE(...)
#define API_UNAVAILABLE(...)
#define API_DEPRECATED(...)
#define API_DEPRECATED_WITH_REPLACEMENT(...)
#endif

// GNUstep leaves these empty for this runtime; with them clang enforces what Apple's headers say.
#undef NS_UNAVAILABLE
#define NS_UNAVAILABLE __attribute__((unavailable))
#undef NS_DESIGNATED_INITIALIZER
#define NS_DESIGNATED_INITIALIZER __attribute__((objc_designated_initializer))
#undef NS_RETURNS_RETAINED
#define NS_RETURNS_RETAINED __attribute__((ns_returns_retained))
#undef NS_RETURNS_INNER_POINTER
#define NS_RETURNS_INNER_POINTER __attribute__((objc_returns_inner_pointer))

typedef NSString* NSErrorDomain;
typedef NSString* NSErrorUserInfoKey;
typedef double CFTimeInterval;

typedef struct {
  NSInteger majorVersion;
  NSInteger minorVersion;
  NSInteger patchVersion;
} NSOperatingSystemVersion;

@interface NSProcessInfo (StandinVersion)
- (NSOperatingSystemVersion)operatingSystemVersion;
- (BOOL)isOperatingSystemAtLeastVersion:(NSOperatingSystemVersion)version;
@end

extern NSString* _Nonnull const NSKeyedArchiveRootObjectKey;

@interface NSKeyedArchiver (StandinSecureCoding)
- (nonnull instancetype)initRequiringSecureCoding:(BOOL)requiresSecureCoding;
@property(readonly, strong, nonnull) NSData* encodedData;
@end

@interface NSKeyedUnarchiver (StandinSecureCoding)
- (nullable instancetype)initForReadingFromData:(nonnull NSData*)data error:(NSError* _Nullable* _Nullable)error;
@end
