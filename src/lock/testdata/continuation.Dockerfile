FROM \
# a comment between
   # one more

   alpine:3.20 \
   AS \
   one
RUN a \
  && FROM evil:1 \

  FROM evil:3
FROM deb\
ian:12
RUN echo \\
FROM busybox:1.36
RUN x \   
 FROM evil:2
COPY --link \
     --from=nginx:1.27 \
     /a /b
FROM httpd:2.4\
