/* UART 0 of the MPS2 board, transmit only. */
#ifndef UART_H
#define UART_H

void uart_init(void);

/* Send a text; a line feed is sent as it is. Returns when the last character is in the UART. */
void uart_write(const char *text);

#endif
