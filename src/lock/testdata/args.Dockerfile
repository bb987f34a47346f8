ARG VERSION=3.20 SUFFIX="-slim"
ARG IMAGE='python'
ARG FULL=${IMAGE}:3.12${SUFFIX}
ARG EMPTY
ARG HOST=registry.example.com
FROM alpine:${VERSION} AS one
FROM $FULL AS two
FROM ${HOST:-docker.io}/team/app:1 AS three
FROM ${UNSET:-debian:12} AS four
FROM --platform=$BUILDPLATFORM golang:1.22 AS five
FROM alpine:$EMPTY
FROM alpine:$UNSET
FROM ${STAGE:-one}
FROM ${IMAGE%y*}
ARG VERSION=4
FROM busybox:${VERSION}
COPY --from=image:$VERSION /a /a
FROM ${EMPTY:+never}alpine:1.2.3
