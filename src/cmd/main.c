#include <stdio.h>

int main(void)
{
    puts("cocket " COCKET_VERSION);
    return 0;
}
