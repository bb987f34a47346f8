# syntax=docker/dockerfile:1.7@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 with words
FROM debian:12 AS base
RUN --mount=type=bind,from=alpine:3.20,target=/a --mount=type=cache,target=/c,FROM=busybox ls
RUN --mount=type=bind,from=base,target=/b --network=none --mount=from=late,target=/c ls --mount=from=evil:1
RUN --mount="type=bind,from=alpine:3.19" ls
RUN --mount=type=bind,from=$X,target=/x ls
COPY --from=0 /a /b
COPY --chown=1:1 --from=nginx:1.27-alpine /a /b
COPY --from=late /a /b
COPY --from= /a /b
COPY /a --from=evil:2
ONBUILD COPY --from=builder /x /x
ONBUILD RUN --mount=type=bind,from=redis:7 ls
ADD https://example.com/a /a
FROM "postgres:16" AS late
FROM 'redis:7'
FROM al"pi"ne
